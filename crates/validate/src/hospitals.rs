//! Made-up hospitals, watched: each is generated into a folder of its own, run through the product,
//! and thrown away.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use detect::Engine;
use drill::{DrillError, Plan};
use model::Timestamp;
use pipeline::analyze::RunError;

use crate::label::Labels;
use crate::site::{Site, SiteError};
use crate::watch::{self, Seen};

/// A hospital to be made.
#[derive(Clone, Debug)]
pub struct Hospital {
    /// Its name in reports.
    pub name: String,
    /// What it is like, and what befalls it.
    pub plan: Plan,
}

impl Hospital {
    /// Hospitals that together see every attack by a known device and by a stranger, and every
    /// look-alike: `parts` of them for each seed.
    pub fn coverage(seeds: impl IntoIterator<Item = u64>, parts: u32) -> Vec<Self> {
        let of_seed = |seed: u64| {
            (0..parts).map(move |part| Self {
                name: format!("coverage-{seed}-{part}"),
                plan: Plan::coverage(seed, part, parts),
            })
        };
        seeds.into_iter().flat_map(of_seed).collect()
    }

    /// When life changes there for good, where it does.
    pub fn changes(&self) -> Option<Timestamp> {
        let after = self.plan.changes_after_minutes? * 60.0;
        Some(Timestamp::from_seconds_f64(self.plan.start.seconds_f64() + after))
    }

    /// Hospitals in which only known devices attack: `parts` of them for each seed, which together
    /// see every attack `times` times.
    pub fn by_known(seeds: impl IntoIterator<Item = u64>, parts: u32, times: u32) -> Vec<Self> {
        let of_seed = |seed: u64| {
            (0..parts).map(move |part| Self {
                name: format!("known-{seed}-{part}"),
                plan: Plan::by_known(seed, part, parts, times),
            })
        };
        seeds.into_iter().flat_map(of_seed).collect()
    }

    /// Hospitals of so many hours of normal life only, which changes after half of them.
    pub fn changing(seeds: impl IntoIterator<Item = u64>, hours: f64) -> Vec<Self> {
        let of_seed = |seed: u64| Self {
            name: format!("changing-{seed}"),
            plan: Plan::changing(seed, hours),
        };
        seeds.into_iter().map(of_seed).collect()
    }

    /// Hospitals of so many hours of normal life only.
    pub fn quiet(seeds: impl IntoIterator<Item = u64>, hours: f64) -> Vec<Self> {
        let of_seed =
            |seed: u64| Self { name: format!("quiet-{seed}"), plan: Plan::quiet(seed, hours) };
        seeds.into_iter().map(of_seed).collect()
    }
}

/// A site that was watched.
pub struct Watched {
    /// Its truth.
    pub site: Site,
    /// What each window was.
    pub labels: Labels,
    /// What came of it.
    pub seen: Seen,
    /// The engine in the end.
    pub engine: Engine,
}

/// Why a site could not be watched.
#[derive(Debug, thiserror::Error)]
pub enum HospitalError {
    /// It could not be made.
    #[error(transparent)]
    Made(#[from] DrillError),
    /// Its folder cannot be used.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// Its capture cannot be read.
    #[error(transparent)]
    Capture(#[from] capture::CaptureError),
    /// It could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A folder could not be made.
    #[error("{0}: {1}; give another with TMPDIR")]
    Folder(PathBuf, std::io::Error),
}

/// Watches a folder with the truth in it.
///
/// # Errors
/// When something in it cannot be read.
pub fn watch_folder(
    folder: &Path,
    engine: &(dyn Fn(Timestamp) -> Engine + Sync),
) -> Result<Watched, HospitalError> {
    let site = Site::read(folder)?;
    let labels = Labels::read(&site)?;
    let mut engine = engine(site.learn_until);
    let seen = watch::watch(&site, &mut engine)?;
    Ok(Watched { site, labels, seen, engine })
}

/// Makes and watches one.
fn watch_one(
    hospital: &Hospital,
    engine: &(dyn Fn(Timestamp) -> Engine + Sync),
) -> Result<Watched, HospitalError> {
    let folder = std::env::temp_dir().join(format!(
        "wardwatch-validate-{}-{}",
        std::process::id(),
        hospital.name
    ));
    let made = drill::generate(&hospital.plan, &folder);
    let watched = made.map_err(HospitalError::from).and_then(|_| watch_folder(&folder, engine));
    let _ = std::fs::remove_dir_all(&folder);
    watched.map(|mut watched| {
        watched.site.name.clone_from(&hospital.name);
        watched
    })
}

/// Makes and watches hospitals, several at once, and hands each to `each` in their order, whichever
/// was done first.
///
/// # Errors
/// The first that could not be made or read.
pub fn watch_all<T: Send>(
    hospitals: &[Hospital],
    threads: usize,
    engine: &(dyn Fn(Timestamp) -> Engine + Sync),
    each: &(dyn Fn(Watched) -> T + Sync),
) -> Result<Vec<T>, HospitalError> {
    in_turn(hospitals, threads, &|hospital| watch_one(hospital, engine).map(each))
}

/// Does something with each hospital, several at once; hands back what came of it in their order.
///
/// # Errors
/// The first that went wrong.
pub fn in_turn<T: Send>(
    hospitals: &[Hospital],
    threads: usize,
    each: &(dyn Fn(&Hospital) -> Result<T, HospitalError> + Sync),
) -> Result<Vec<T>, HospitalError> {
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Option<Result<T, HospitalError>>>> =
        hospitals.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, 64) {
            scope.spawn(|| {
                while let Some(place) = Some(next.fetch_add(1, Ordering::Relaxed))
                    && let Some(hospital) = hospitals.get(place)
                {
                    let result = each(hospital);
                    if let Ok(mut slot) = done[place].lock() {
                        *slot = Some(result);
                    }
                }
            });
        }
    });
    let taken = done.into_iter().filter_map(|slot| slot.into_inner().ok().flatten());
    taken.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scored::{self, Kind};

    #[test]
    fn a_hospital_that_is_watched_has_its_windows_by_protocol_and_encryption() {
        let plan = drill::Plan {
            baseline_minutes: 1.0,
            attack_minutes: 1.0,
            image_kib: 4,
            pace: 0.4,
            events: Vec::new(),
            ..drill::Plan::default()
        };
        let hospital = Hospital { name: "small".to_owned(), plan };
        let each = |watched: Watched| scored::score(&watched, &Kind::default());
        let all = watch_all(&[hospital], 1, &watch::engine, &each).unwrap();
        let of = |name: &str| -> std::collections::BTreeSet<&str> {
            all[0].examples.iter().map(|one| one.strata[name].as_str()).collect()
        };
        assert!(of("protocol").contains("dicom"), "{:?}", of("protocol"));
        assert!(of("encryption").contains("clear"), "{:?}", of("encryption"));
    }
}
