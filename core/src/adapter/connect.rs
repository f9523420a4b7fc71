//! Makes the clock and the cloud on the guard's own thread.

use super::{
    aws::{AwsCloud, Now, ServerTime},
    os_entropy::OsEntropy,
    sandbox_clock::SandboxClock,
    surroundings::Surroundings,
    system_clock::SystemClock,
};
use crate::port::{clock::Clock, cloud::CloudSettings, parts::Connected};
use std::{rc::Rc, sync::Arc};

pub(super) async fn connect(
    settings: CloudSettings,
    surroundings: Surroundings,
) -> Result<Connected, String> {
    let entropy = Arc::new(OsEntropy);
    let server_time = Arc::new(ServerTime::default());
    let (clock, now): (Rc<dyn Clock>, _) = match &settings.sandbox {
        Some(url) => {
            let clock = SandboxClock::connect(url, &OsEntropy).await?;
            let now = clock.reader();
            (Rc::new(clock), now)
        }
        None => {
            let clock = SystemClock::following(server_time.clone());
            let now: Now = Arc::new({
                let clock = clock.clone();
                move || clock.now()
            });
            (Rc::new(clock), now)
        }
    };
    let cloud = Rc::new(AwsCloud::new(settings, surroundings, now, entropy, server_time));
    Ok(Connected { clock, cloud })
}
