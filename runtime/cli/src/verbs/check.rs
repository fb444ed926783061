//! `connectome check`

use serde_json::json;

use crate::World;
use crate::arguments::{Check, Form};
use crate::configuration::connect;
use crate::exit::Outcome;
use crate::print;

pub async fn run(world: &World, verb: &Check) -> Outcome {
    let connector = world.connector(&verb.connector)?;
    let connection = connect(world, connector, &verb.access)?;
    connection.check().await?;
    let url = connection.origin().root().to_owned();
    match world.arguments.output {
        Form::Text => {
            print::line(&format!("{} at {url}: the address, the certificate and the key are good", connector.title))
        }
        Form::Json | Form::Jsonl => print::json_line(&json!({ "connector": connector.name, "url": url, "ok": true })),
    }
}
