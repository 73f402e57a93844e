//! The guest's half of the contract, generated from `wit/plugin.wit`.
//!
//! Three worlds instead of one, because the host looks a plugin's abilities up by name: a component must
//! not export a reviewer that it has not. Linking unites the worlds whose `export` macro was expanded, and
//! drops every import that is never called. Nothing here is called by hand: `crate::host` and
//! [`crate::export`] do it.

// Every import, and the `handler` that each plugin exports.
wit_bindgen::generate!({
    path: "../../wit/plugin.wit",
    world: "plugin",
    pub_export_macro: true,
    export_macro_name: "export_handler",
    additional_derives: [PartialEq],
});

/// The `reviewer` export alone.
pub mod review {
    wit_bindgen::generate!({
        path: "../../wit/plugin.wit",
        inline: "
            package showrunner:sdk-reviewer;
            world reviewer-only { export showrunner:plugin/reviewer@0.1.0; }
        ",
        with: { "showrunner:plugin/types@0.1.0": crate::bindings::showrunner::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export_reviewer",
        additional_derives: [PartialEq],
    });
}

/// The `handover` export alone.
pub mod hand_over {
    wit_bindgen::generate!({
        path: "../../wit/plugin.wit",
        inline: "
            package showrunner:sdk-handover;
            world handover-only { export showrunner:plugin/handover@0.1.0; }
        ",
        pub_export_macro: true,
        export_macro_name: "export_handover",
    });
}
