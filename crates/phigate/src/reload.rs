//! SIGHUP: the configuration file and what it points at, read again.

use anyhow::{Context, bail};
use phigate_config::Config;

use crate::assemble;
use crate::serve::Parts;

/// What an error means after the first part has begun to take over.
const HALFWAY: &str = "in the middle of the reload, a part of which may hold: reload again";

/// Reads everything anew and has the parts take it over. All that can be known is checked before
/// anything changes.
///
/// # Errors
/// Why the old configuration goes on; [`HALFWAY`] where it does not in every part.
pub(crate) async fn reload(running: &Config, parts: &Parts) -> anyhow::Result<Config> {
    let new = Config::load(&running.path)?;
    let held = running.needs_restart(&new);
    if !held.is_empty() {
        bail!("these need a restart: {}", held.join(", "));
    }
    let control = match &parts.control {
        Some(serving) => Some((serving, assemble::control(&new)?)),
        None => None,
    };
    let gateway = match &parts.gateway {
        Some(serving) => Some((serving, assemble::gateway(&new, parts.control_address())?)),
        None => None,
    };
    if let Some((serving, control)) = control {
        let renewal = phigate_control::Renewal {
            identity: control.identity,
            client_ca_pem: control.client_ca_pem,
            databases: control.databases,
            principals: control.principals,
        };
        serving
            .renew(renewal)
            .await
            .context("the control plane")
            .context(HALFWAY)?;
    }
    if let Some((serving, gateway)) = gateway {
        let renewal = phigate_gateway::Renewal {
            tls: gateway.tls,
            control: gateway.control,
            drain: gateway.timeouts.drain,
        };
        serving
            .renew(renewal)
            .await
            .context("the gateway")
            .context(HALFWAY)?;
    }
    Ok(new)
}
