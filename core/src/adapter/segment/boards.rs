//! Boards and the anchor as words.

use super::notice::Notice;
use crate::{
    model::{
        time::{Anchor, Timestamp},
        usage::Account,
    },
    port::state::Board,
};

/// Accounts on a board.
pub(super) const ACCOUNTS: usize = 48;
/// Bytes of a dimension's name. Source: MeterUsage model, shape `UsageDimension`.
pub(super) const NAME_BYTES: usize = 255;

/// Shows the board; false when an account was left out.
pub(super) fn write(notice: &Notice<'_>, board: &Board) -> bool {
    let fits = |account: &&Account| account.dimension.len() <= NAME_BYTES;
    let accounts: Vec<&Account> = board.accounts.iter().filter(fits).take(ACCOUNTS).collect();
    let mut words = vec![board.captured, board.entitled.into(), accounts.len() as u64];
    for account in &accounts {
        let Account { dimension, added, open, pending, delivered, disputed, held, missed } =
            account;
        words.extend([*added, *open, *pending, *delivered, *disputed, *held, *missed]);
        words.push(dimension.len() as u64);
        for part in dimension.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
            words.push(u64::from_ne_bytes(word));
        }
    }
    notice.write(&words) && accounts.len() == board.accounts.len()
}

/// The newest board.
pub(super) fn read(notice: &Notice<'_>) -> Option<Board> {
    let words = notice.read()?;
    let mut words = words.into_iter();
    let (captured, entitled, count) = (words.next()?, words.next()? != 0, words.next()?);
    let mut accounts = Vec::new();
    for _ in 0..count {
        let mut next = || words.next();
        let (added, open, pending) = (next()?, next()?, next()?);
        let (delivered, disputed, held, missed) = (next()?, next()?, next()?, next()?);
        let length = usize::try_from(next()?).ok().filter(|length| *length <= NAME_BYTES)?;
        let mut name = Vec::new();
        for _ in 0..length.div_ceil(8) {
            name.extend(next()?.to_ne_bytes());
        }
        name.truncate(length);
        let dimension = String::from_utf8(name).ok()?;
        accounts.push(Account {
            dimension,
            added,
            open,
            pending,
            delivered,
            disputed,
            held,
            missed,
        });
    }
    Some(Board { accounts, captured, entitled })
}

/// Shows the anchor.
pub(super) fn write_anchor(notice: &Notice<'_>, anchor: Anchor) {
    let Anchor { time, boot_ms, boot } = anchor;
    // Other writers that are always faster know AWS's time as well.
    let _ = notice.write(&[time.0.cast_unsigned(), boot_ms.cast_unsigned(), boot]);
}

/// The newest anchor.
pub(super) fn read_anchor(notice: &Notice<'_>) -> Option<Anchor> {
    let words = notice.read()?;
    let [time, boot_ms, boot] = words.try_into().ok()?;
    Some(Anchor { time: Timestamp(time.cast_signed()), boot_ms: boot_ms.cast_signed(), boot })
}
