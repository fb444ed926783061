//! `connectome simulate`

use std::any::Any;
use std::net::SocketAddr;
use std::time::Duration;

use connectome_core::connection::environment_prefix;
use connectome_core::connector::Connector;
use connectome_core::format::Format;
use connectome_core::shape::Field;
use connectome_core::{Error, ErrorKind};
use connectome_sim::{FAULT_KINDS, Fault, Grants, Options, Respond, Running, Service, Simulator, Tls, Token, serve};
use connectome_sinks::jupiterone::simulated::{ACCOUNT, INSTANCE, Platform};
use connectome_sinks::xsiam::simulated::Tenant;
use connectome_sinks::{elasticsearch, jupiterone, xsiam};
use serde_json::json;

use crate::World;
use crate::arguments::{Form, Simulate};
use crate::exit::{Outcome, interrupted};
use crate::{near, print, when};

/// Destinations that are simulated when they are named. A connector may bear the name of a destination.
const DESTINATIONS: [&str; 3] = ["jupiterone-platform", xsiam::simulated::DESTINATION, "elasticsearch"];

/// A destination that stands until this goes, and how it is used.
struct Standing {
    name: &'static str,
    verb: &'static str,
    url: String,
    variable: &'static str,
    _served: Box<dyn Any + Send>,
}

/// Where services stand side by side: each gets the port after the last.
struct Row<'a> {
    first: SocketAddr,
    taken: u16,
    tls: Option<&'a Tls>,
}

impl Row<'_> {
    async fn stand<S: Respond>(&mut self, service: S) -> Result<Running<S>, Error> {
        let mut address = self.first;
        if address.port() != 0 {
            address.set_port(address.port().saturating_add(self.taken));
        }
        self.taken = self.taken.saturating_add(1);
        serve(service, address, self.tls).await.map_err(|error| {
            Error::new(ErrorKind::Connect, format!("{address} cannot be listened on: {error}"))
                .advice("another process may use the port; choose one with --listen, or port 0 for any")
        })
    }
}

pub async fn run(world: &World, verb: &Simulate) -> Outcome {
    if verb.faults.iter().any(|fault| fault == "help") {
        let rows = FAULT_KINDS.iter().map(|(name, doc)| vec![(*name).to_owned(), (*doc).to_owned()]);
        return print::text(&print::table(&["fault", "what happens"], rows));
    }
    let options = options(verb)?;
    let stop = interrupted();
    if !verb.listen.ip().is_loopback() {
        return Err(Error::new(ErrorKind::Input, format!("{} is not a loopback address", verb.listen))
            .advice("simulators serve this machine only: use 127.0.0.1 or [::1]"));
    }
    let tls = match &verb.tls {
        None => None,
        Some(path) => {
            let tls = Tls::for_names(&["localhost", "127.0.0.1", "::1"])
                .map_err(|why| Error::new(ErrorKind::Storage, format!("no certificate could be made: {why}")))?;
            std::fs::write(path, &tls.authority).map_err(|error| {
                Error::new(ErrorKind::Storage, format!("{} cannot be written: {error}", path.display()))
            })?;
            Some(tls)
        }
    };
    let mut row = Row { first: verb.listen, taken: 0, tls: tls.as_ref() };
    let mut running: Vec<(&str, Running)> = Vec::new();
    for service in services(world, verb)? {
        running.push((service.connector.name, row.stand(Simulator::new(service, options.clone())).await?));
    }
    let wanted = |name: &str| verb.connectors.iter().any(|it| it == name);
    let mut standing = Vec::new();
    let [platform, tenant, search] = DESTINATIONS;
    if wanted(platform) {
        let served = row.stand(Platform::new(ACCOUNT, &verb.token, INSTANCE)).await?;
        let scheme = jupiterone::simulated::DESTINATION;
        let url = format!("{scheme}+{}?account={ACCOUNT}&integration_instance={INSTANCE}", served.url());
        let variable = jupiterone::KEY_VARIABLE;
        standing.push(Standing { name: platform, verb: "sync", url, variable, _served: Box::new(served) });
    }
    if wanted(tenant) {
        let served = row.stand(Tenant::new(&verb.token)).await?;
        let (url, variable) = (format!("{tenant}+{}", served.url()), xsiam::TOKEN_VARIABLE);
        standing.push(Standing { name: tenant, verb: "collect", url, variable, _served: Box::new(served) });
    }
    if wanted(search) {
        let authorization = format!("Bearer {}", verb.token);
        let served = row.stand(elasticsearch::simulated::Search::new(Some(&authorization))).await?;
        let (url, variable) = (format!("{search}+{}", served.url()), elasticsearch::TOKEN);
        standing.push(Standing { name: search, verb: "collect", url, variable, _served: Box::new(served) });
    }
    announce(world, verb, &running, &standing)?;
    stop.await;
    Err(Error::new(ErrorKind::Interrupted, "stopped"))
}

fn services(world: &World, verb: &Simulate) -> Result<Vec<&'static Service>, Error> {
    if verb.connectors.is_empty() {
        return Ok(world.services.to_vec());
    }
    let find = |name: &String| {
        world.services.iter().find(|service| service.connector.name == name).copied().ok_or_else(|| {
            let mut names: Vec<&str> = world.services.iter().map(|service| service.connector.name).collect();
            names.extend(DESTINATIONS);
            let all = format!("there are: {}", names.join(", "));
            Error::new(ErrorKind::Input, format!("there is no simulated service for {name:?}"))
                .advice(near::advice(name, names, all))
        })
    };
    verb.connectors.iter().filter(|name| !DESTINATIONS.contains(&name.as_str())).map(find).collect()
}

fn options(verb: &Simulate) -> Result<Options, Error> {
    let span = |option: &str, text: &str| when::seconds(option, text).map(Duration::from_secs);
    let wrong = |why: String| Error::new(ErrorKind::Input, why);
    let mut options = Options::new(&verb.token);
    options.seed = verb.seed;
    options.scale = verb.scale.max(1);
    options.latency = Duration::from_millis(verb.latency);
    options.history = span("--history", &verb.history)?;
    options.late = span("--late", &verb.late)?;
    options.page_life = verb.page_life.as_ref().map(|text| span("--page-life", text)).transpose()?;
    (options.rate, options.skew) = (verb.rate, verb.skew);
    options.faults = verb.faults.iter().map(|text| text.parse::<Fault>().map_err(wrong)).collect::<Result<_, _>>()?;
    let denied: Vec<(String, String)> = verb
        .denied
        .iter()
        .map(|text| {
            text.split_once(": ")
                .map(|(app, name)| (app.to_owned(), name.to_owned()))
                .ok_or_else(|| wrong(format!("--deny {text:?}: write `App: permission`")))
        })
        .collect::<Result<_, _>>()?;
    if !denied.is_empty() {
        options.tokens[0].grants = Grants::AllBut(denied);
    }
    options.tokens.push(Token { secret: format!("{}-expired", verb.token), grants: Grants::Expired });
    options.tokens.push(Token { secret: format!("{}-powerless", verb.token), grants: Grants::Listed(Vec::new()) });
    Ok(options)
}

/// The parameters of a connection to a simulated service. They are its own; those that hold an address and a secret are known
/// by what they are.
pub fn simulated_parameters(connector: &Connector, url: &str, token: &str) -> Vec<(&'static str, String)> {
    let value = |field: &Field| {
        if field.secret {
            Some(token.to_owned())
        } else if field.rules.format == Some(Format::BaseUrl) {
            Some(url.to_owned())
        } else {
            (field.required && field.default.is_none()).then(|| "simulated".to_owned())
        }
    };
    connector.parameters.fields.iter().filter_map(|field| Some((field.name, value(field)?))).collect()
}

fn announce(world: &World, verb: &Simulate, running: &[(&str, Running)], standing: &[Standing]) -> Outcome {
    if world.arguments.output != Form::Text {
        let list: Vec<_> = running
            .iter()
            .map(|(name, served)| json!({ "connector": name, "url": served.url(), "token": verb.token }))
            .collect();
        let mut told = json!({ "simulating": list });
        if !standing.is_empty() {
            let one = |it: &Standing| json!({ "destination": it.url, "token": verb.token });
            told["destinations"] = standing.iter().map(one).collect();
        }
        return print::json_line(&told);
    }
    for (name, served) in running {
        let prefix = environment_prefix(name);
        print::line(&format!("# {name} at {}", served.url()))?;
        let connector = served.simulator.service().connector;
        for (name, value) in simulated_parameters(connector, &served.url(), &verb.token) {
            print::line(&format!("export {prefix}{}={value}", name.to_uppercase()))?;
        }
    }
    for Standing { name, verb: takes, url, variable, .. } in standing {
        print::line(&format!("# {name}: connectome {takes} NAME --to '{url}'"))?;
        print::line(&format!("export {variable}={}", verb.token))?;
    }
    if let Some(path) = &verb.tls {
        print::line(&format!("export CONNECTOME_CA_FILE={}", path.display()))?;
    }
    print::tell("simulating until Ctrl-C; the lines above set up another shell");
    Ok(())
}
