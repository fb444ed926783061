use connectome::trend_vision_one::{AddCustomScriptInput, ScriptType};
use connectome::core::file::File;

fn main() {
    let _ = AddCustomScriptInput::new(File::new("triage.sh", "")).with_file_type(ScriptType::Bsh);
}
