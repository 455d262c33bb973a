//! Work on many files over the cores.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;

use anyhow::{Error, anyhow};

/// Does the work for each item on as many threads as there are cores; the results have the order of the items. A panic
/// is an error of its item alone.
pub(crate) fn each<Item: Send, Res: Send>(
    items: Vec<Item>,
    work: impl Fn(Item) -> Res + Sync,
) -> Vec<Result<Res, Error>> {
    let n_items = items.len();
    let n_threads = thread::available_parallelism().map_or(1, NonZero::get).min(n_items);
    let waiting = Mutex::new(items.into_iter().enumerate());
    let done: Mutex<Vec<(usize, Result<Res, Error>)>> = Mutex::new(Vec::with_capacity(n_items));
    let take = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let put = |idx, res| done.lock().unwrap_or_else(PoisonError::into_inner).push((idx, res));
    thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(|| {
                while let Some((idx, item)) = take() {
                    let res = catch_unwind(AssertUnwindSafe(|| work(item)));
                    put(idx, res.map_err(|_| anyhow!("internal error; please report it with the file")));
                }
            });
        }
    });
    let mut res = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    res.sort_by_key(|(idx, _)| *idx);
    res.into_iter().map(|(_, res)| res).collect()
}

#[cfg(test)]
mod tests {
    use super::each;

    #[test]
    fn results_have_the_order_of_the_items() {
        let res = each((0..1_000).collect(), |number: u32| number * 2);
        let res: Vec<u32> = res.into_iter().flatten().collect();
        assert_eq!(res, (0..1_000).map(|number| number * 2).collect::<Vec<u32>>());
    }

    #[test]
    fn a_panic_stops_its_own_item_alone() {
        let res = each(vec![1, 0, 2], |number: u32| 10_u32.checked_div(number).expect("no zero"));
        assert!(matches!(res[..], [Ok(10), Err(_), Ok(5)]));
    }
}
