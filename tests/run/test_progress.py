import io
import re

import pytest

from jaxgan.run.progress import Terminal


class _Screen(io.StringIO):
    def isatty(self):
        return True


class _Clock:
    now = 0.0

    def __call__(self):
        return self.now


def _plain(total, clock):
    stream = io.StringIO()
    return Terminal(total, stream=stream, clock=clock, every_seconds=10.0), stream


def test_rates_and_time_left_by_hand():
    clock = _Clock()
    terminal, stream = _plain(1000, clock)
    terminal.update(201, 12864, {"d_loss": 0.123456, "g_loss": 1e-9}, speed=10.0)
    # 64 images a step; 799 steps to go at 10 a second.
    line = (
        "step 201/1,000 (20%)  12.9 kimg  10 steps/s  640 images/s  0:01:20 left  d_loss 0.1235"
        "  g_loss 1e-09"
    )
    assert stream.getvalue() == line + "\n"


def test_there_is_no_rate_that_nobody_knows():
    terminal, stream = _plain(60, _Clock())
    terminal.update(60, 3840, {"loss": 2.0})
    assert stream.getvalue() == "step 60/60 (100%)  3.84 kimg  loss 2\n"


def test_what_takes_time_now_is_a_line():
    terminal, stream = _plain(60, _Clock())
    terminal.status("measuring fid, kid: 1,500 samples")
    terminal.update(60, 3840, {"loss": 2.0})
    assert stream.getvalue().splitlines() == [
        "measuring fid, kid: 1,500 samples",
        "step 60/60 (100%)  3.84 kimg  loss 2",
    ]


def test_lines_come_now_and_then_and_at_the_end():
    clock = _Clock()
    terminal, stream = _plain(100, clock)
    for step in range(1, 41):
        clock.now = float(step)
        terminal.update(step, step, {"loss": 0.0})
    terminal.close()
    steps = [int(step) for step in re.findall(r"^step (\d+)/", stream.getvalue(), re.MULTILINE)]
    assert steps == [1, 11, 21, 31, 40]  # the last one by close


def test_the_last_step_is_always_printed_and_once():
    clock = _Clock()
    terminal, stream = _plain(2, clock)
    terminal.update(1, 1, {"loss": 0.0})
    terminal.update(2, 2, {"loss": 0.0})
    terminal.close()
    assert stream.getvalue().count("step 2/2 (100%)") == 1


def test_progress_alone_prints_no_line():
    terminal, stream = _plain(10, _Clock())
    terminal.update(5, 5)
    terminal.close()
    assert stream.getvalue() == ""


@pytest.fixture
def screen(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return _Screen()


def test_a_terminal_shows_a_live_bar_and_gives_the_screen_back(screen):
    clock = _Clock()
    terminal = Terminal(1000, stream=screen, clock=clock)
    terminal.update(1, 64)
    clock.now = 10.0
    terminal.message("[red] checkpoint [/red] saved")
    terminal.status("measuring fid: 1,500 samples")
    terminal.update(501, 32064, {"d_loss": 0.5}, speed=50.0)
    terminal.close()
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert "[red] checkpoint [/red] saved" in shown
    assert "measuring fid: 1,500 samples" in shown
    last = shown.splitlines()[-2:]
    assert last[0].startswith("step 501/1,000 ━")
    assert last[0].rstrip().endswith("32.1 kimg  50 steps/s  3,200 images/s  0:00:10 left")
    assert last[1].strip() == "d_loss 0.5"
    assert screen.getvalue().endswith("\x1b[?25h")  # the cursor is back


def test_a_dumb_terminal_gets_plain_lines(screen, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    terminal = Terminal(2, stream=screen, clock=_Clock())
    terminal.update(1, 1, {"loss": 2.0})
    terminal.close()
    assert screen.getvalue() == "step 1/2 (50%)  0.001 kimg  loss 2\n"
