from __future__ import annotations

import logging
import subprocess
import sys

from mtsbench.trial_notes import noted


def test_each_warning_of_ours_is_kept_once_in_order():
    with noted() as notes:
        logging.getLogger("mtsbench_radiomics.models").warning("left out: %s", "x1")
        logging.getLogger("mtsbench.engine").warning("second")
        logging.getLogger("mtsbench_radiomics.models").warning("left out: %s", "x1")
        logging.getLogger("mtsbench.engine").info("no warning")
        logging.getLogger("matplotlib").warning("of another package")
    logging.getLogger("mtsbench.engine").warning("after the trial")

    assert list(notes) == ["left out: x1", "second"]


def test_warnings_still_reach_the_terminal():
    program = (
        "import logging; from mtsbench.trial_notes import noted\n"
        "with noted():\n"
        "    logging.getLogger('mtsbench.engine').warning('look at this')\n"
        "    logging.getLogger('another').warning('and at this')\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stderr.splitlines() == ["look at this", "and at this"]
