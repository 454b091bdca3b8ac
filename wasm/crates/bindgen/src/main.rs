//! `kairos-bindgen MODULE FOLDER NAME` writes `NAME_bg.wasm`, `NAME.js` and `NAME.d.ts` into FOLDER.
//! It stands in for the tool `wasm-bindgen`, whose installation takes minutes, and gives the same bytes.

use std::env::args;
use std::process::ExitCode;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let [_, module, folder, name] = &args().collect::<Vec<_>>()[..] else {
        eprintln!("usage: kairos-bindgen MODULE FOLDER NAME");
        return ExitCode::from(2);
    };
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .out_name(name)
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        // The caller names the module: which variant it loads is decided at run time.
        .omit_default_module_path(true);
    match bindgen.web(true).and_then(|it| it.generate(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
