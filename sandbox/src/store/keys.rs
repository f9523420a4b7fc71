//! Signing keys of products.
//!
//! A 2048-bit RSA key takes tenths of a second to find, so one thread searches ahead of demand.

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, LazyLock, Mutex};

use rand::rngs::OsRng;
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePublicKey as _, LineEnding};

/// AWS states no size; its own sample has 1024 bit, which is below what verifiers accept today.
const KEY_BITS: usize = 2048;

/// One key pair.
pub(crate) struct SigningKey {
    pub(crate) private: RsaPrivateKey,
    /// `-----BEGIN PUBLIC KEY-----`, as AWS hands it to the seller.
    pub(crate) public_pem: String,
}

impl SigningKey {
    fn generate() -> Self {
        let private =
            RsaPrivateKey::new(&mut OsRng, KEY_BITS).expect("the system gives random bytes");
        let public_pem = private
            .to_public_key()
            .to_public_key_pem(LineEnding::LF)
            .expect("an RSA public key always has a PEM form");
        Self { private, public_pem }
    }
}

/// Keys of sandboxes that are gone or were reset: as good as new for the next product.
static RETURNED: Mutex<Vec<Arc<SigningKey>>> = Mutex::new(Vec::new());

/// Keys found ahead. The thread ends with the process.
static AHEAD: LazyLock<Mutex<Receiver<SigningKey>>> = LazyLock::new(|| {
    let (sender, receiver) = sync_channel(1);
    std::thread::spawn(move || while sender.send(SigningKey::generate()).is_ok() {});
    Mutex::new(receiver)
});

/// Begins to look for keys.
pub(crate) fn prepare() {
    LazyLock::force(&AHEAD);
}

/// A key that no living product has; may take a moment.
pub(crate) fn next() -> Arc<SigningKey> {
    if let Some(key) = RETURNED.lock().expect("no code panics while it holds the keys").pop() {
        return key;
    }
    let ahead = AHEAD.lock().expect("no code panics while it waits for a key");
    Arc::new(ahead.recv().unwrap_or_else(|_| SigningKey::generate()))
}

/// Takes back keys that nobody signs with any more.
pub(crate) fn give_back(keys: impl Iterator<Item = Arc<SigningKey>>) {
    RETURNED.lock().expect("no code panics while it holds the keys").extend(keys);
}
