//! `fairnotice diff OLD NEW…`

use std::mem::ManuallyDrop;

use fairnotice::assess::Verdict;

use super::{
    Exit, Format, Globals, Outcome, input,
    redlines::{self, Form, Named, Pair},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The old document: a path, - for standard input, or DOC@VERSION.
    old: String,
    /// The new document; more of them make a row, each compared with the one before it.
    #[arg(required = true, value_name = "NEW")]
    new: Vec<String>,
    /// Format of standard input.
    #[arg(long)]
    input_format: Option<input::InputFormat>,
    /// Stop after this step.
    #[arg(long, value_enum)]
    only: Option<Only>,
    #[command(flatten)]
    form: Form,
    /// Exit with 10 when something substantive changed, 20 when something material did.
    #[arg(long)]
    exit_code: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Only {
    /// The comparison: no verdict, findings, duties or promises.
    Compare,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Outcome {
    let format = args.form.format(globals)?;
    let judge = args.only != Some(Only::Compare);
    // Who only wants the comparison as JSON compares many, and knows the files.
    let digest = judge || format != Format::Json;
    let mut sources = Vec::with_capacity(args.new.len() + 1);
    for name in std::iter::once(&args.old).chain(&args.new) {
        let source = input::source(name, args.input_format, globals, digest)?;
        // The process ends after this: giving memory back piece by piece would gain nothing.
        sources.push((name, ManuallyDrop::new(source)));
    }
    let made = redlines::made(format, globals);
    let mut pairs = Vec::with_capacity(args.new.len());
    for pair in sources.windows(2) {
        if let [(old_name, old), (new_name, new)] = pair {
            let old = Named {
                name: old_name,
                source: old,
            };
            let new = Named {
                name: new_name,
                source: new,
            };
            pairs.push(Pair::new(&old, &new, &args.form, judge, made, globals)?);
        }
    }
    let pairs = ManuallyDrop::new(pairs);
    let gravest = pairs.iter().filter_map(Pair::verdict).max();
    args.form.write(format, &pairs)?;
    Ok(match gravest {
        Some(Verdict::Material) if args.exit_code => Exit::Material,
        Some(Verdict::Substantive) if args.exit_code => Exit::Substantive,
        _ => Exit::Done,
    })
}
