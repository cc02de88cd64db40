"""Rules of a folder that pair nothing: what helps, by what the folder has before."""

from labelingest.folders.sync.unpaired import FolderBefore


def test_a_folder_that_is_created_has_no_name_to_configure() -> None:
    assert FolderBefore().cure == (
        "mend the patterns, or create the folder without --images and --labels: labelingest folder "
        "configure takes labels in once they are there"
    )


def test_a_folder_is_named_as_a_shell_reads_it() -> None:
    assert FolderBefore("my drive").cure.startswith(
        "mend the patterns with labelingest folder configure 'my drive', or give "
    )
