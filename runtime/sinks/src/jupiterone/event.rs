//! What the job's log tells people: which steps there were and how they ended.

use connectome_core::{Error, ErrorKind};
use connectome_graph::report::{Report, Status};
use serde_json::{Value, json};

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its kind. One with `error` in it marks the job as having errors.
    pub name: &'static str,
    /// What happened, in a sentence.
    pub description: String,
}

impl Event {
    pub(super) fn new(name: &'static str, description: impl Into<String>) -> Self {
        Self { name, description: description.into() }
    }

    pub(super) fn json(&self) -> Value {
        json!({ "name": self.name, "description": self.description })
    }

    /// Objects that were too large.
    pub(super) fn limit(description: &str) -> Self {
        Self::new("warn_ingestion_limit_encountered", description)
    }

    /// Types that were not uploaded in full.
    pub(super) fn not_uploaded(types: &str, error: &Error) -> Self {
        let why = Value::from(reason(error));
        Self::new(
            "error_unexpected_error",
            format!("Not all of {types} was uploaded. (errorCode=\"INTEGRATION_UPLOAD_FAILED\", reason={why})"),
        )
    }
}

/// What is told before the upload: the steps that began.
pub(super) fn started(report: &Report) -> Vec<Event> {
    let starts = report.steps.iter().filter(|step| !matches!(step.status, Status::Absent(_)));
    starts.map(|step| Event::new("step_start", format!("Starting step \"{}\"...", step.title))).collect()
}

/// What is told after it: how the steps ended.
pub(super) fn ended(report: &Report) -> Vec<Event> {
    let mut events = Vec::new();
    for step in &report.steps {
        let title = step.title;
        match &step.status {
            Status::Done => events.push(completed(title)),
            Status::Absent(why) => events.push(Event::new("step_skip", format!("Skipped step \"{title}\". {why}"))),
            Status::Cut(why) => {
                events.push(completed(title));
                events.push(Event::new("warn_incomplete_data", format!("Step \"{title}\" read only a part: {why}")));
            }
            Status::Failed(error) => {
                let help = if error.kind() == ErrorKind::Auth { " Check the connector's credentials." } else { "" };
                let (code, why) = (Value::from(code(error)), Value::from(reason(error)));
                events.push(Event::new(
                    "step_failure",
                    format!("Step \"{title}\" failed to complete due to error.{help} (errorCode={code}, reason={why})"),
                ));
            }
        }
    }
    events
}

fn completed(title: &str) -> Event {
    Event::new("step_end", format!("Completed step \"{title}\"."))
}

/// The platform's code for an error of a step.
fn code(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::Input | ErrorKind::Configuration => "CONFIG_VALIDATION_ERROR",
        ErrorKind::Auth => "PROVIDER_AUTHENTICATION_ERROR",
        ErrorKind::Permission => "PROVIDER_AUTHORIZATION_ERROR",
        ErrorKind::RateLimited => "PROVIDER_RETRIES_EXCEEDED_ERROR",
        ErrorKind::Storage | ErrorKind::Interrupted => "UNEXPECTED_ERROR",
        _ => "PROVIDER_API_ERROR",
    }
}

/// An error in one line: which request the service refused and with what status, or what else happened.
pub fn reason(error: &Error) -> String {
    let parts = error.parts();
    let Some((service, request)) = parts.service.as_ref().zip(parts.request.as_deref()) else {
        return error.parts().message.clone();
    };
    let what = match error.kind() {
        ErrorKind::Auth => "authentication",
        ErrorKind::Permission => "authorization",
        _ => "API",
    };
    let endpoint = request.split_once(' ').map_or(request, |(_, url)| url);
    let known = http::StatusCode::from_u16(service.status).ok().and_then(|status| status.canonical_reason());
    let status = known.map_or_else(|| service.status.to_string(), |text| format!("{} {text}", service.status));
    format!("Provider {what} failed at {endpoint}: {status}")
}

#[cfg(test)]
mod tests {
    use connectome_core::error::ServiceError;
    use connectome_graph::report::StepReport;

    use super::*;

    #[test]
    fn each_step_is_told_in_the_words_of_the_platform() {
        let service = ServiceError { status: 401, ..ServiceError::default() };
        let refused = Error::new(ErrorKind::Auth, "the key is not accepted")
            .service(service)
            .request("GET https://api.example.com/teams?limit=100");
        let full = Error::new(ErrorKind::Storage, "the disk is \"full\"");
        let outcomes = [
            Status::Done,
            Status::Absent("the account does not have \"teams\"".to_owned()),
            Status::Cut("only 10000 can be read".to_owned()),
            Status::Failed(refused),
            Status::Failed(full),
        ];
        let steps =
            outcomes.into_iter().map(|status| StepReport { name: "teams", title: "Fetch Teams", status, records: 0 });
        let report = Report { steps: steps.collect(), ..Report::default() };
        assert_eq!(started(&report), vec![Event::new("step_start", "Starting step \"Fetch Teams\"..."); 4]);
        let told: Vec<_> = ended(&report).into_iter().map(|event| (event.name, event.description)).collect();
        let told: Vec<_> = told.iter().map(|(name, text)| (*name, text.as_str())).collect();
        assert_eq!(
            told,
            [
                ("step_end", "Completed step \"Fetch Teams\"."),
                ("step_skip", "Skipped step \"Fetch Teams\". the account does not have \"teams\""),
                ("step_end", "Completed step \"Fetch Teams\"."),
                ("warn_incomplete_data", "Step \"Fetch Teams\" read only a part: only 10000 can be read"),
                (
                    "step_failure",
                    "Step \"Fetch Teams\" failed to complete due to error. Check the connector's credentials. \
                     (errorCode=\"PROVIDER_AUTHENTICATION_ERROR\", reason=\"Provider authentication failed at \
                     https://api.example.com/teams?limit=100: 401 Unauthorized\")"
                ),
                (
                    "step_failure",
                    "Step \"Fetch Teams\" failed to complete due to error. (errorCode=\"UNEXPECTED_ERROR\", \
                     reason=\"the disk is \\\"full\\\"\")"
                ),
            ]
        );
    }
}
