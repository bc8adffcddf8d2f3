"""Charge a flywheel from its ground state, switch the bias off, and watch the work go.

python examples/charging.py [folder]

Writes charging.nc and charging.png into the folder (out by default). Takes about a minute.
"""

import sys
from pathlib import Path

import numpy as np

import wheelwork as ww
from wheelwork.plots import charging_sheet, save_figure

ON, OFF = 16.0, 0.0
SWITCH, END, EVERY = 960, 1440, 16  # periods of the oscillator


def main(folder: Path, switch: int = SWITCH, end: int = END, every: int = EVERY) -> None:
    """Follow the device to the period `end`, with the bias on until the period `switch`."""
    device = ww.Flywheel.paper(bias=ON)
    period = 2.0 * np.pi / device.frequency
    times = period * np.arange(0, end + 1, every)  # always at the same phase
    switch, end = period * switch, period * end
    run = device.evolve(
        ww.Ground(), times, changes={switch: device.replace(bias=OFF)}, method=ww.FokkerPlanck(1e-5)
    )

    shown = [run[int(np.argmin(np.abs(times - t)))] for t in (0.1 * switch, 0.99 * switch, end)]
    reach = max(float(one.wigner["x"].max()) for one in shown) / device.length
    axis = np.linspace(-0.7 * reach, 0.7 * reach, 161)
    x, p = axis * device.length, axis * device.momentum
    data = run.to_xarray().assign_coords(x=x, p=p, wigner_time=[one.time for one in shown])
    data["wigner"] = (("wigner_time", "x", "p"), np.array([one.wigner_on(x, p) for one in shown]))
    data["x0"], data["p0"] = device.length, device.momentum

    folder.mkdir(parents=True, exist_ok=True)
    data.to_netcdf(folder / "charging.nc")
    save_figure(charging_sheet(data), folder / "charging.png")
    best = int(np.argmax(run.ergotropy))
    print(f"largest ergotropy {run.ergotropy[best]:.4g} at t = {times[best]:g}, U there "
          f"{run.energy[best]:.4g}")  # fmt: skip
    for name, entry in run.audit.items():
        print(f"{name}: {entry.value:.2g} (at most {entry.bound:.2g})")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out"))
