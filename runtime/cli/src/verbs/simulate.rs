//! `connectome simulate`

use std::net::SocketAddr;
use std::time::Duration;

use connectome_core::connection::environment_prefix;
use connectome_core::{Error, ErrorKind};
use connectome_sim::{FAULT_KINDS, Fault, Grants, Options, Running, Service, Simulator, Tls, Token, serve};
use connectome_sinks::jupiterone::simulated::{ACCOUNT, INSTANCE, Platform};
use connectome_sinks::xsiam::simulated::Tenant;
use connectome_sinks::{elasticsearch, jupiterone, xsiam};
use serde_json::json;

use crate::World;
use crate::arguments::{Form, Simulate};
use crate::exit::{Outcome, interrupted};
use crate::{near, print};

/// Destinations that are simulated when they are named. A connector may bear the name of a destination.
const DESTINATIONS: [&str; 3] = ["jupiterone-platform", xsiam::simulated::DESTINATION, "elasticsearch"];

/// A destination that stands, and how it is used.
struct Standing {
    name: &'static str,
    verb: &'static str,
    url: String,
    variable: &'static str,
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
    let mut running: Vec<(&str, Running)> = Vec::new();
    let found = services(world, verb)?;
    let count = found.len();
    for (at, service) in found.into_iter().enumerate() {
        let address = following(verb.listen, at);
        let served = serve(Simulator::new(service, options.clone()), address, tls.as_ref())
            .await
            .map_err(|error| cannot_listen(address, &error))?;
        running.push((service.connector.name, served));
    }
    let wanted = |name: &str| verb.connectors.iter().any(|it| it == name);
    let mut standing = Vec::new();
    let [platform, tenant, search] = DESTINATIONS;
    let _platform = if wanted(platform) {
        let address = following(verb.listen, count);
        let served = serve(Platform::new(ACCOUNT, &verb.token, INSTANCE), address, tls.as_ref()).await;
        let served = served.map_err(|error| cannot_listen(address, &error))?;
        let scheme = jupiterone::simulated::DESTINATION;
        let url = format!("{scheme}+{}?account={ACCOUNT}&integration_instance={INSTANCE}", served.url());
        standing.push(Standing { name: platform, verb: "sync", url, variable: jupiterone::KEY_VARIABLE });
        Some(served)
    } else {
        None
    };
    let _tenant = if wanted(tenant) {
        let address = following(verb.listen, count + standing.len());
        let served = serve(Tenant::new(&verb.token), address, tls.as_ref()).await;
        let served = served.map_err(|error| cannot_listen(address, &error))?;
        let url = format!("{tenant}+{}", served.url());
        standing.push(Standing { name: tenant, verb: "collect", url, variable: xsiam::TOKEN_VARIABLE });
        Some(served)
    } else {
        None
    };
    let _search = if wanted(search) {
        let address = following(verb.listen, count + standing.len());
        let authorization = format!("Bearer {}", verb.token);
        let served = serve(elasticsearch::simulated::Search::new(Some(&authorization)), address, tls.as_ref()).await;
        let served = served.map_err(|error| cannot_listen(address, &error))?;
        let url = format!("{search}+{}", served.url());
        standing.push(Standing { name: search, verb: "collect", url, variable: elasticsearch::TOKEN });
        Some(served)
    } else {
        None
    };
    announce(world, verb, &running, &standing)?;
    stop.await;
    Err(Error::new(ErrorKind::Interrupted, "stopped"))
}

/// Services stand side by side: each gets the port after the last.
fn following(mut address: SocketAddr, at: usize) -> SocketAddr {
    if address.port() != 0 {
        address.set_port(address.port().saturating_add(u16::try_from(at).unwrap_or(u16::MAX)));
    }
    address
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Connect, format!("{address} cannot be listened on: {error}"))
        .advice("another process may use the port; choose one with --listen, or port 0 for any")
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

/// A span of time: a number and a unit.
fn span(option: &str, text: &str) -> Result<Duration, Error> {
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
    let read = units.iter().find_map(|(unit, seconds)| {
        text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(*seconds).map(Duration::from_secs)
    });
    read.ok_or_else(|| {
        Error::new(ErrorKind::Input, format!("{option} {text:?} is no span of time"))
            .advice("write a number and a unit, as 90s, 10m, 6h or 3d")
    })
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
        // The parameters of a service are its own; those that hold an address and a secret are named after what they are.
        let fields = served.simulator.service().connector.parameters.fields;
        for field in fields {
            if field.secret {
                print::line(&format!("export {prefix}{}={}", field.name.to_uppercase(), verb.token))?;
            } else if field.rules.format == Some(connectome_core::format::Format::BaseUrl) {
                print::line(&format!("export {prefix}{}={}", field.name.to_uppercase(), served.url()))?;
            } else if field.required && field.default.is_none() {
                print::line(&format!("export {prefix}{}=simulated", field.name.to_uppercase()))?;
            }
        }
    }
    for Standing { name, verb: takes, url, variable } in standing {
        print::line(&format!("# {name}: connectome {takes} NAME --to '{url}'"))?;
        print::line(&format!("export {variable}={}", verb.token))?;
    }
    if let Some(path) = &verb.tls {
        print::line(&format!("export CONNECTOME_CA_FILE={}", path.display()))?;
    }
    print::tell("simulating until Ctrl-C; the lines above set up another shell");
    Ok(())
}
