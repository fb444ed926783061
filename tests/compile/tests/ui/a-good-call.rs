use connectome::trend_vision_one::{AddCustomScriptInput, Client, EndpointIdentifiers, IsolateEndpointInput, Parameters, ScriptType};

async fn respond() -> Result<(), connectome::Error> {
    let client = Client::connect(Parameters::new("a token").with_api_url("https://api.eu.xdr.trendmicro.com"))?;
    let endpoint = EndpointIdentifiers::new().with_endpoint_name("ledger-pc-07");
    let isolated = client.isolate_endpoint(&IsolateEndpointInput::new([endpoint])).await?;
    let _task: Option<String> = isolated.multi_response.into_iter().next().and_then(|answer| answer.task_id);
    let file = connectome::core::file::File::new("triage.sh", "#!/bin/sh\n");
    client.add_custom_script(&AddCustomScriptInput::new(file).with_file_type(ScriptType::Bash)).await?;
    Ok(())
}

fn main() {
    let _ = respond;
}
