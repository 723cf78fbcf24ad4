"""The networks of `diffhydro.networks` as they would be written in torch; needs torch."""

import numpy as np
import torch
from torch import nn


def prepare() -> None:
    """Ask for one thread, and for denormal numbers to be zero: torch is slow with them."""
    torch.set_num_threads(1)
    if not torch.set_flush_denormal(True):
        raise RuntimeError("torch cannot flush denormal numbers here: the comparison is not fair")


class Lstm(nn.Module):
    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.memory = nn.LSTM(features, hidden, batch_first=True)
        self.last = nn.Linear(hidden, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.memory(x)[0])

    def take(self, params) -> None:
        """Take the weights of our network."""
        memory, last = params["memory"], params["last"]
        pairs = {
            self.memory.weight_ih_l0: np.asarray(memory["inputs"]).T,
            self.memory.weight_hh_l0: np.asarray(memory["state"]).T,
            self.memory.bias_ih_l0: np.asarray(memory["bias"]),
            self.memory.bias_hh_l0: np.zeros_like(np.asarray(memory["bias"])),
            self.last.weight: np.asarray(last["kernel"]).T,
            self.last.bias: np.asarray(last["bias"]),
        }
        with torch.no_grad():
            for mine, theirs in pairs.items():
                mine.copy_(torch.tensor(theirs))


def _stage(before: int, width: int, convolutions: int) -> nn.Sequential:
    layers = []
    for number in range(convolutions):
        layers += [
            nn.Conv2d(width if number else before, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.LeakyReLU(),
        ]
    return nn.Sequential(*layers)


class Unet(nn.Module):
    """With batch normalisation, as torch does it best and the study has it."""

    def __init__(self, features: int, late: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        before = (features, *widths)
        self.down = nn.ModuleList(_stage(a, b, 2) for a, b in zip(before, widths, strict=False))
        deeper = (*widths[1:], widths[-1])
        self.doubled = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in zip(deeper, widths, strict=True)
        )
        self.up = nn.ModuleList(_stage(2 * width, width, 1) for width in widths[1:])
        self.late = _stage(late, widths[0], 1)
        self.final = _stage(3 * widths[0], widths[0], 2)
        self.last = nn.Conv2d(widths[0], 1, 1)

    def forward(self, x: torch.Tensor, late: torch.Tensor) -> torch.Tensor:
        beside = []
        for stage in self.down:
            x = stage(x)
            beside.append(x)
            x = nn.functional.max_pool2d(x, 2)
        for level in range(len(beside) - 1, 0, -1):
            x = self.up[level - 1](torch.cat([beside[level], self.doubled[level](x)], 1))
        x = torch.cat([beside[0], self.doubled[0](x), self.late(late)], 1)
        return nn.functional.relu(self.last(self.final(x)))


class _ConvLstmLayer(nn.Module):
    def __init__(self, features: int, filters: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(features + filters, 4 * filters, 3, padding=1)
        self.peepholes = nn.Parameter(torch.zeros(3, 1, filters, 1, 1))
        self.filters = filters

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, times, _, *sides = x.shape
        h = c = x.new_zeros(batch, self.filters, *sides)
        states = []
        for time in range(times):
            i, f, g, o = self.gates(torch.cat([x[:, time], h], 1)).chunk(4, 1)
            i = torch.sigmoid(i + self.peepholes[0] * c)
            c = torch.sigmoid(f + self.peepholes[1] * c) * c + i * torch.tanh(g)
            h = torch.sigmoid(o + self.peepholes[2] * c) * torch.tanh(c)
            states.append(h)
        return torch.stack(states, 1)


class ConvLstm(nn.Module):
    def __init__(self, features: int, filters: tuple[int, ...], side: int) -> None:
        super().__init__()
        before = (features, *filters)
        self.layers = nn.ModuleList(
            _ConvLstmLayer(a, b) for a, b in zip(before, filters, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm3d(width) for width in filters)
        self.last = nn.Conv2d(filters[-1], 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = torch.relu(norm(layer(x).transpose(1, 2))).transpose(1, 2)
        return self.last(x[:, -1])


class Training:
    """A network, Adam, and a batch, `[..., feature]`: every call is one step."""

    def __init__(self, network: nn.Module, inputs, target, axes: tuple[int, ...] | None) -> None:
        def tensor(x) -> torch.Tensor:
            x = torch.tensor(np.asarray(x))
            return x if axes is None else x.permute(*axes).contiguous()

        self.network = network
        self.inputs = [tensor(x) for x in inputs]
        self.target = torch.tensor(np.asarray(target))
        self.optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)

    def loss(self) -> torch.Tensor:
        found = self.network(*self.inputs)
        return torch.mean((found.reshape(self.target.shape) - self.target) ** 2)

    def step(self) -> float:
        self.optimizer.zero_grad()
        loss = self.loss()
        loss.backward()
        self.optimizer.step()
        return loss.item()
