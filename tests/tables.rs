//! The tables that the program carries are made here, from the TSV files in `server/data`; and every row of the TSV must
//! be found again in them. When a file is not up to date it is written, and the test says so once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use plimsoll::table::{Derived, Kind, MAGIC, Section, Table, column, hash};
use plimsoll::{images, packages};

struct Tsv {
    section: &'static Section,
    rows: Vec<Vec<String>>,
}

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("server/data").join(name)
}

fn read(section: &'static Section) -> Tsv {
    let text = std::fs::read_to_string(data(section.file)).expect("the TSV is in the repository");
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    let header = lines.next().expect("a header line");
    let names: Vec<&str> = section.columns.iter().map(|(name, _)| *name).collect();
    assert_eq!(header, names, "{}: the columns are those of the schema", section.file);
    let mut rows: Vec<_> = lines.collect();
    assert!(rows.iter().all(|row| row.len() == names.len()), "{}: every row has all cells", section.file);
    rows.sort_by(|one, other| one[..section.key].cmp(&other[..section.key]));
    Tsv { section, rows }
}

/// The numbers of a list cell: the TSV has the first and then differences.
fn list(cell: &str) -> Vec<u32> {
    let mut sum = 0;
    let step = |word: &str| {
        sum += word.parse::<u32>().expect("a list holds numbers");
        sum
    };
    cell.split(' ').filter(|word| !word.is_empty()).map(step).collect()
}

/// The table of the schema's files: written once with nothing that is worked out of itself, then with it.
fn encode(schema: &'static [Section]) -> Vec<u8> {
    let files: Vec<Tsv> = schema.iter().map(read).collect();
    let bare = encode_with(&files, |_, _| 0);
    encode_with(&files, |by, row| by(Table::new(&bare), row))
}

fn encode_with(files: &[Tsv], of_row: impl Fn(fn(Table, usize) -> u32, usize) -> u32) -> Vec<u8> {
    let mut texts = BTreeSet::from([""]);
    for file in files {
        for (at, (_, kind)) in file.section.columns.iter().enumerate() {
            if *kind == Kind::Text {
                texts.extend(file.rows.iter().map(|row| row[at].as_str()));
            }
        }
    }
    let ids: BTreeMap<&str, u32> = texts.iter().zip(0..).map(|(text, id)| (*text, id)).collect();
    let mut end = 0;
    let ends = texts.iter().map(|text| {
        end += u32::try_from(text.len()).expect("texts are short");
        end
    });
    let mut columns: Vec<Vec<u32>> =
        vec![ends.collect(), texts.iter().flat_map(|it| it.bytes()).map(u32::from).collect(), places(&texts)];
    for file in files {
        for (at, (_, kind)) in file.section.columns.iter().enumerate() {
            let cells = file.rows.iter().map(|row| row[at].as_str());
            match kind {
                Kind::Text => columns.push(cells.map(|cell| ids[cell]).collect()),
                Kind::Number => columns.push(cells.map(stored).collect()),
                Kind::List => {
                    let mut parts = Vec::new();
                    let ends = cells.map(|cell| {
                        parts.extend(list(cell));
                        u32::try_from(parts.len()).expect("lists are short")
                    });
                    columns.push(ends.collect());
                    columns.push(parts);
                }
            }
        }
        for (_, derived) in file.section.derived {
            columns.push(match derived {
                Derived::Text(of, by) => file.rows.iter().map(|row| by(&row[*of])).collect(),
                Derived::Row(by) => (0..file.rows.len()).map(|row| of_row(*by, row)).collect(),
            });
        }
    }
    bytes_of(&columns)
}

/// Where the number of each text is found: at its hash, or at the next place that is free.
fn places(texts: &BTreeSet<&str>) -> Vec<u32> {
    let mut res = vec![0; (texts.len() * 2).next_power_of_two()];
    for (text, id) in texts.iter().zip(1..) {
        let mut place = hash(text.bytes()) as usize % res.len();
        while res[place] != 0 {
            place = (place + 1) % res.len();
        }
        res[place] = id;
    }
    res
}

fn stored(cell: &str) -> u32 {
    if cell.is_empty() { 0 } else { cell.parse::<u32>().expect("a number column holds numbers") + 1 }
}

fn bytes_of(columns: &[Vec<u32>]) -> Vec<u8> {
    let count = u32::try_from(columns.len()).expect("few columns");
    let mut head: Vec<u32> = vec![MAGIC, count];
    let mut body: Vec<u8> = Vec::new();
    let body_start = 8 + columns.len() * 12;
    for column in columns {
        let width = match column.iter().max().copied().unwrap_or(0) {
            0..0x100 => 1,
            0x100..0x1_0000 => 2,
            _ => 4,
        };
        let start = body_start + body.len();
        body.extend(column.iter().flat_map(|cell| cell.to_le_bytes().into_iter().take(width)));
        let end = body_start + body.len();
        head.extend([start, end, width].map(|it| u32::try_from(it).expect("below 4 GB")));
    }
    let mut res: Vec<u8> = head.iter().flat_map(|word| word.to_le_bytes()).collect();
    res.extend(body);
    res
}

fn up_to_date(name: &str, schema: &'static [Section]) {
    let wanted = encode(schema);
    if std::fs::read(data(name)).ok().as_deref() != Some(&wanted) {
        std::fs::write(data(name), &wanted).expect("server/data can be written");
        panic!("server/data/{name}: written, run again");
    }
}

/// Every cell of the TSV, looked for by its key.
fn is_found_again(table: Table, schema: &'static [Section]) {
    for section in schema {
        let file = read(section);
        let first = column(schema, section.file, section.columns[0].0);
        let mut before: Option<(Vec<u32>, usize)> = None;
        for row in &file.rows {
            let key: Vec<u32> =
                row[..section.key].iter().map(|text| table.id(&[text]).expect("the text is listed")).collect();
            let found = table.rows_of(first, &key);
            let at = match before {
                Some((same, at)) if same == key => at + 1,
                _ => found.start,
            };
            assert!(found.contains(&at), "{}: {row:?}", section.file);
            for ((name, kind), cell) in section.columns.iter().zip(row) {
                let column = column(schema, section.file, name);
                match kind {
                    Kind::Text => assert_eq!(table.text(column, at), cell),
                    Kind::Number => assert_eq!(table.cell(column, at), Some(stored(cell))),
                    Kind::List => assert_eq!(table.list(column, at).collect::<Vec<_>>(), list(cell)),
                }
            }
            for (name, derived) in section.derived {
                let Derived::Text(of, by) = derived else { continue };
                assert_eq!(table.cells(column(schema, section.file, name)).get(at), by(&row[*of]));
            }
            before = Some((key, at));
        }
    }
}

#[test]
fn the_image_table_is_what_the_tsv_files_say() {
    up_to_date("images.bin", images::SCHEMA);
    is_found_again(images::TABLE, images::SCHEMA);
}

#[test]
fn the_package_table_is_what_the_tsv_files_say() {
    up_to_date("packages.bin", packages::SCHEMA);
    is_found_again(packages::TABLE, packages::SCHEMA);
}
