use connectome::trend_vision_one::{EndpointIdentifiers, GetTaskResultInput, IsolateEndpointInput};

fn main() {
    let _ = IsolateEndpointInput::new([EndpointIdentifiers::new().with_endpoint_name(7)]);
    let _ = GetTaskResultInput::new("00004010").with_poll_time_sec("half a minute");
}
