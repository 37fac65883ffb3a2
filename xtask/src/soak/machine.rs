//! The machine that it runs on, for whoever reads the figures.

use std::fmt;
use std::fs;
use std::thread;

/// Cores, memory and how busy it is.
#[derive(Debug)]
pub(super) struct Machine {
    cores: usize,
    memory_gib: Option<f64>,
    load: Option<String>,
}

impl Machine {
    /// Looks at it now.
    pub(super) fn look() -> Self {
        let kilobytes = |text: String| {
            let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        };
        let three = |text: String| {
            let words: Vec<_> = text.split_whitespace().take(3).collect();
            words.join(" ")
        };
        Self {
            cores: thread::available_parallelism().map_or(1, Into::into),
            memory_gib: fs::read_to_string("/proc/meminfo")
                .ok()
                .and_then(kilobytes)
                .map(|kilobytes| kilobytes / 1_048_576.0),
            load: fs::read_to_string("/proc/loadavg").ok().map(three),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "machine: {} cores", self.cores)?;
        if let Some(memory) = self.memory_gib {
            write!(f, ", {memory:.1} GiB of memory")?;
        }
        if let Some(load) = &self.load {
            write!(f, ", load averages {load}")?;
        }
        Ok(())
    }
}
