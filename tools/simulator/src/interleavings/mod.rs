//! Every interleaving of a few: the deployed handlers of a few functions, run by hand in every order of their calls.
//!
//! The simulator draws one order out of a great many. Here, a few updaters, publishers and reconcilers work on a few
//! webhooks about one coin, and all orders are tried: at each call of a port, any of them may go on. Within the bounds, a
//! function may crash between any two calls, and a call may fail, be made twice or lose its reply.
//!
//! A handler that waits for a call cannot be copied. But what it does next follows from what it was invoked with and what
//! its calls were answered. So a state of the search names this history of each process, and is data beside that. The real
//! handler runs once for each history.
//!
//! | module | subject |
//! |---|---|
//! | `ports`, `call` | the ports of a handler: each call waits, as data, for an answer |
//! | `handlers` | the deployed handlers, and what they do next |
//! | `table`, `state` | what the processes share |
//! | `promises` | what must hold after each step, and in the end |
//! | `system`, `explorer` | what may happen next, and the search |
//! | `webhooks`, `configurations` | what is explored |

mod call;
mod configurations;
mod explorer;
mod handlers;
mod ports;
mod promises;
mod state;
mod system;
mod table;
mod webhooks;

pub use configurations::Configuration;
pub use explorer::{Broken, Explored, explore};
pub use system::Bounds;
