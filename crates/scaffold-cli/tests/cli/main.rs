//! The real binary, each time in a fresh directory with a fresh home and nothing of the caller's
//! environment.

#[cfg(target_os = "linux")]
mod chat;
mod config;
mod files;
mod held;
#[cfg(target_os = "linux")]
mod limits;
mod logits;
mod made;
#[cfg(target_os = "linux")]
mod memory;
mod models;
#[cfg(target_os = "linux")]
mod pages;
mod project;
mod quantize;
#[cfg(target_os = "linux")]
mod removing;
mod report;
mod robust;
mod serve;
mod starter;
#[cfg(target_os = "linux")]
mod terminal;
mod text;
mod usage;
#[cfg(target_os = "linux")]
mod widths;
