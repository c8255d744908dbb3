from pathlib import Path
import pytest
pytestmark = pytest.mark.browser
CELLS = [
 "import pandas as pd\nimport matplotlib.pyplot as plt\nfrom ipy_orch import Config, asset\n%load_ext ipy_orch",
 "%%asset raw --group ingest --kinds pandas\nprint('loading ...')\npd.DataFrame({'n': range(5), 'name': list('abcde')})",
 "#| asset: orders\n#| group: ingest\nraw[raw.n > 1]",
 "%%asset_check orders has_rows\nlen(orders) > 2, {'rows': len(orders), 'note': '<b>x</b>'}",
 "%%asset_check orders many --severity WARN\nlen(orders) > 20, {'rows': len(orders)}",
 "#| asset: plot\nfig, ax = plt.subplots(figsize=(3, 1.5))\nax.plot(orders.n)\nfig",
 "%%asset raw2 --grup x\n1",
 "%%asset bad\nx = orders.n.sum()\nx / 0",
 "%materialize --force",
 "%why orders",
 "%assets",
 "%lineage",
 "%open plot",
 "factor = 2",
 "%%asset slow\nimport time\nfor _ in range(100): time.sleep(.1)\nfactor",
]
def test_look(lab):
    nb = lab(CELLS)
    nb.page.set_viewport_size({"width": 1100, "height": 2600})
    for i in range(len(CELLS)-1):
        nb.run_cell(i)
    nb.run_cell(len(CELLS)-1, wait=False)
    nb.page.wait_for_timeout(1500)
    nb.screenshot(Path("/tmp/look1.png"))
    nb.interrupt(); nb.wait_idle()
    nb.run_cell(2)
    nb.page.wait_for_timeout(500)
    nb.screenshot(Path("/tmp/look2.png"))
    for i in range(len(CELLS)): print(i, nb.text(i)[:1500])
