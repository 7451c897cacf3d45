//! Models of one's own: a name for a model, with a system prompt, settings, a template and examples
//! of its own.
//!
//! ```no_run
//! use scaffold::config::Config;
//! use scaffold::hub::Silent;
//! use scaffold::LlmManager;
//! use scaffold::made::{Recipe, create};
//!
//! let config = Config::of_process()?;
//! let recipe = Recipe::of_modelfile("FROM starter\nPARAMETER temperature 0.2\nSYSTEM You are Mario.", None)?;
//! create(&config, "mario", &recipe, &mut Silent)?;
//! println!("{}", LlmManager::from_pretrained("mario")?.generate("Who are you?")?);
//! # Ok::<(), scaffold::Error>(())
//! ```

mod create;
pub mod modelfile;
pub mod parameters;
mod recipe;
mod template;
mod write;

pub use create::{Created, copy, copy_with, create, create_with};
pub use modelfile::Modelfile;
pub use recipe::Recipe;
pub use scaffold_hub::{Base, MadeMessage, MadeModel, MadeName, MadeStore, Upload};
pub use write::{modelfile_of, parameters_text};
