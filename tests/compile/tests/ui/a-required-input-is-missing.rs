use connectome::trend_vision_one::{AddAlertNoteInput, IsolateEndpointInput};

fn main() {
    let _ = IsolateEndpointInput::new();
    let _ = AddAlertNoteInput::new("WB-31007-20240611-00004");
}
