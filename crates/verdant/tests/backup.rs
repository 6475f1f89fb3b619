//! `verdant backup` and `verdant restore`, from either database into either.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod support;

use std::path::Path;

use support::{cases, databases, fail, folder, path, replay_into, shared, succeed};

fn backup(database: &[String; 2], file: &Path) -> String {
    let [kind, place] = database;
    succeed(&["backup", kind, place, "--out", path(file)])
}

fn restore(database: &[String; 2], file: &Path) -> String {
    let [kind, place] = database;
    succeed(&["restore", path(file), kind, place])
}

#[test]
fn a_backup_goes_through_both_databases_and_is_the_same_to_the_byte() {
    let [sqlite, postgres] = databases("through");
    let folder = folder("through-files");
    for case in cases() {
        replay_into(&sqlite, &case, &[]);
    }
    let (first, second, third) = (folder.join("1"), folder.join("2"), folder.join("3"));
    let told = backup(&sqlite, &first);
    assert_eq!(told.lines().count(), cases().len());
    let restored = restore(&postgres, &first);
    assert!(restored.starts_with(&told.replace("backed up", "restored")));
    assert_eq!(restored.matches("zero in every unit").count(), cases().len(), "{restored}");
    backup(&postgres, &second);
    let again = ["--data".to_owned(), path(&folder.join("again/data")).to_owned()];
    restore(&again, &second);
    backup(&again, &third);
    let bytes = std::fs::read(&first).unwrap();
    assert!(bytes == std::fs::read(second).unwrap() && bytes == std::fs::read(third).unwrap());
    // What was restored goes on where it was: a second replay finds all of it there.
    for database in [&postgres, &again] {
        let before = succeed(&["verify", &database[0], &database[1]]);
        replay_into(database, &shared("golden/growth-sponsor"), &[]);
        let after = succeed(&["verify", &database[0], &database[1]]);
        let heads = |text: &str| {
            text.lines().filter(|line| line.contains("head")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(heads(&before), heads(&after));
    }
}

#[test]
fn nothing_is_restored_where_a_programme_of_it_is_there() {
    for database in databases("taken") {
        let folder = folder("taken-files");
        let file = folder.join("backup");
        let from = ["--data".to_owned(), path(&folder.join("from")).to_owned()];
        replay_into(&from, &shared("golden/adjust"), &[]);
        replay_into(&from, &shared("golden/growth-dust"), &[]);
        backup(&from, &file);
        replay_into(&database, &shared("golden/growth-dust"), &[]);
        let [kind, place] = &database;
        let before = succeed(&["verify", kind, place]);
        let message = fail(&["restore", path(&file), kind, place]);
        assert!(message.contains("\"growth-dust\"") && message.contains("nothing was restored"));
        assert_eq!(succeed(&["verify", kind, place]), before);
    }
}

#[test]
fn a_damaged_backup_is_told_and_leaves_nothing() {
    let folder = folder("damaged");
    let (file, bad) = (folder.join("backup"), folder.join("bad"));
    let from = ["--data".to_owned(), path(&folder.join("from")).to_owned()];
    replay_into(&from, &shared("golden/adjust"), &[]);
    backup(&from, &file);
    let whole = std::fs::read(&file).unwrap();
    let to = folder.join("to");
    let args = ["restore", path(&bad), "--data", path(&to)];
    for place in (0..whole.len()).step_by(whole.len() / 20) {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        std::fs::write(&bad, &bytes).unwrap();
        assert!(fail(&args).contains("the backup is damaged"));
        std::fs::write(&bad, &whole[..place]).unwrap();
        assert!(fail(&args).contains("the backup is damaged"));
    }
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["backup", "bad", "from"]);
}

#[test]
fn a_folder_with_other_files_gets_the_database_beside_them() {
    let folder = folder("beside");
    let (file, to) = (folder.join("backup"), folder.join("to"));
    let from = ["--data".to_owned(), path(&folder.join("from")).to_owned()];
    replay_into(&from, &shared("golden/adjust"), &[]);
    backup(&from, &file);
    for keep in [false, true] {
        let _ = std::fs::remove_dir_all(&to);
        std::fs::create_dir(&to).unwrap();
        if keep {
            std::fs::write(to.join("note"), "mine").unwrap();
        }
        restore(&["--data".into(), path(&to).into()], &file);
        assert!(to.join("verdant.db").is_file());
        assert_eq!(to.join("note").is_file(), keep);
        succeed(&["verify", "--data", path(&to)]);
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3);
}
