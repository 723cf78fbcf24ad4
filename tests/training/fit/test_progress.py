"""A bar for a terminal, and nothing for a file."""

from diffhydro.training.fit.progress import bar


def show():
    with bar(20, 5, 10) as tell:
        tell(12, "loss 0.25")
        tell(13, "")


def test_it_is_silent_where_nobody_watches(capsys):
    show()
    assert capsys.readouterr() == ("", "")


def test_it_tells_the_epoch_and_the_loss(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    show()
    told = capsys.readouterr()
    assert told.out == ""
    assert "epoch 1" in told.err
    assert "loss 0.25" in told.err
