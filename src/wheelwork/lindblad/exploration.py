"""A compiled search for the unknowns that a Lindblad equation couples, and the rates among them.

An unknown is the real or the imaginary part of one matrix element ρ_ab with a ≥ b. Its key is 2 e
for the real and 2 e + 1 for the imaginary part, with e = 2³¹ a + b, so that a and b are read by
shifts. The search follows the operators' columns from given unknowns to all that they drive, and
collects the generator's columns on the way; nothing of size D² is formed.
"""

import numpy as np

from wheelwork.lindblad.operators import CANCELLED, IndexArray
from wheelwork.numerics.compiling import compiled

# Fibonacci hashing: 2⁶⁴ over the golden ratio. The halves of the product are combined, as the lower
# one does not depend on a.
_GOLDEN, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)
BITS = 31  # of a basis state in a key: two of them and one bit fit into 63
LOW = (1 << BITS) - 1
FIRST_CAPACITY = 64  # of arrays that grow by doubling
SHORT = 24  # entries: shorter lists are sorted by insertion, faster than by `argsort`


def element_keys(row: IndexArray, column: IndexArray) -> IndexArray:
    """Return the keys of Re ρ_ab, a ≥ b."""
    return np.asarray(2 * ((row.astype(np.int64) << BITS) | column))


@compiled
def _longer(array, size):  # type: ignore[no-untyped-def]
    grown = np.empty(size, array.dtype)
    grown[: array.size] = array
    return grown


@compiled
def _slot(table, keys, key):  # type: ignore[no-untyped-def]
    """The slot of `key` in the hash table: its own, or the free one where it belongs."""
    mask = table.size - 1
    product = np.uint64(key) * _GOLDEN
    slot = np.int64((product ^ (product >> _HALF)) >> np.uint64(1)) & mask
    while table[slot] >= 0 and keys[table[slot]] != key:
        slot = (slot + 1) & mask
    return slot


@compiled
def _hashed(keys, count, size):  # type: ignore[no-untyped-def]
    table = np.full(size, -1, np.int64)
    for i in range(count):
        table[_slot(table, keys, keys[i])] = i
    return table


@compiled
def _add(elements, values, count, a, b, value):  # type: ignore[no-untyped-def]
    """Append value |a⟩⟨b| + h.c. to the list, as its element below or on the diagonal."""
    if a == b:
        elements[count], values[count] = (a << BITS) | a, 2.0 * value.real
    elif a > b:
        elements[count], values[count] = (a << BITS) | b, value
    else:
        elements[count], values[count] = (b << BITS) | a, np.conj(value)
    return count + 1


@compiled
def _image(key, drift, jumps, weights, elements, values):  # type: ignore[no-untyped-def]
    """List the contributions of one unknown to dρ/dt; return the list and its length.

    drift, jumps: (indptr, indices, data) of CSC arrays; jumps are stacked. Decay and energy are
    separate entries, so that energies cancel without the decay being taken as their rounding.
    """
    c, d = key >> (BITS + 1), (key >> 1) & LOW
    z = 0.5 + 0.0j if c == d else (1.0j if key & 1 else 1.0 + 0.0j)
    indptr, indices, data = drift
    capacity = indptr[c + 1] - indptr[c] + indptr[d + 1] - indptr[d] + 2
    capacity += (jumps[0][c + 1] - jumps[0][c]) * (jumps[0][d + 1] - jumps[0][d])
    if capacity > elements.size:
        elements, values = np.empty(capacity, np.int64), np.empty(capacity, np.complex128)
    count = 0
    for i in range(indptr[c], indptr[c + 1]):
        if indices[i] == c:
            count = _add(elements, values, count, c, d, z * data[i].real)
            count = _add(elements, values, count, c, d, z * (1j * data[i].imag))
        else:
            count = _add(elements, values, count, indices[i], d, z * data[i])
    for i in range(indptr[d], indptr[d + 1]):
        if indices[i] == d:
            count = _add(elements, values, count, c, d, z * data[i].real)
            count = _add(elements, values, count, c, d, z * (-1j * data[i].imag))
        else:
            count = _add(elements, values, count, c, indices[i], z * np.conj(data[i]))
    indptr, indices, data = jumps
    j = indptr[d]
    for i in range(indptr[c], indptr[c + 1]):
        k = indices[i] >> BITS
        while j < indptr[d + 1] and indices[j] >> BITS < k:
            j += 1
        m = j
        while m < indptr[d + 1] and indices[m] >> BITS == k:
            value = z * weights[k] * data[i] * np.conj(data[m])
            count = _add(elements, values, count, indices[i] & LOW, indices[m] & LOW, value)
            m += 1
    return elements, values, count


@compiled
def _order(elements, count):  # type: ignore[no-untyped-def]
    """Stable order of a list, by insertion while it is short."""
    if count > SHORT:
        return np.argsort(elements[:count], kind="mergesort")
    order = np.empty(count, np.int64)
    for i in range(count):
        j = i
        while j > 0 and elements[order[j - 1]] > elements[i]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = i
    return order


@compiled
def _keep(element, total, real_size, imag_size, cancelled, keys, data, driven):  # type: ignore[no-untyped-def]
    """Append the parts of a sum that are more than rounding; return their number so far.

    A sum of at most `cancelled` times the magnitudes of its terms is dropped, so that symmetries
    count which only all jumps together have. Return also the largest part that was dropped.
    """
    dropped = 0.0
    if abs(total.real) > cancelled * real_size:
        keys[driven], data[driven] = 2 * element, total.real
        driven += 1
    else:
        dropped = abs(total.real)
    if element >> BITS != element & LOW:
        if abs(total.imag) > cancelled * imag_size:
            keys[driven], data[driven] = 2 * element + 1, total.imag
            driven += 1
        else:
            dropped = max(dropped, abs(total.imag))
    return driven, dropped


@compiled
def _column(elements, values, count, cancelled, keys, data):  # type: ignore[no-untyped-def]
    """Sum the contributions to each element, see `_keep`; return how many unknowns are driven."""
    order = _order(elements, count)
    driven, dropped = 0, 0.0
    i = 0
    while i < count:
        element = elements[order[i]]
        total, real_size, imag_size = 0.0j, 0.0, 0.0
        while i < count and elements[order[i]] == element:
            value = values[order[i]]
            exact = value.real == 0.0 or value.imag == 0.0  # the part that is zero has no rounding
            total += value
            real_size += abs(value.real) if exact else abs(value)
            imag_size += abs(value.imag) if exact else abs(value)
            i += 1
        driven, off = _keep(element, total, real_size, imag_size, cancelled, keys, data, driven)
        dropped = max(dropped, off)
    return driven, dropped


@compiled
def _filled_column(key, gain, size, elements, values, count, cancelled, keys, data):  # type: ignore[no-untyped-def]
    """`_column` with the gain Σ w L|c⟩⟨d|L† of all jumps as a matrix, and its terms' magnitudes."""
    c, d = key >> (BITS + 1), (key >> 1) & LOW
    z = 0.5 + 0.0j if c == d else (1.0j if key & 1 else 1.0 + 0.0j)
    D = gain.shape[0]
    total, sizes = np.empty((D, D), np.complex128), np.empty((D, D))
    for a in range(D):
        for b in range(a + 1):
            total[a, b] = z * gain[a, b] + np.conj(z * gain[b, a])
            sizes[a, b] = abs(z) * (size[a, b] + size[b, a])
    for i in range(count):
        a, b = elements[i] >> BITS, elements[i] & LOW
        total[a, b] += values[i]
        sizes[a, b] += abs(values[i])
    driven, dropped = 0, 0.0
    for a in range(D):
        for b in range(a + 1):
            driven, off = _keep(
                (a << BITS) | b,
                total[a, b],
                sizes[a, b],
                sizes[a, b],
                cancelled,
                keys,
                data,
                driven,
            )
            dropped = max(dropped, off)
    return driven, dropped


@compiled
def _sum(key, gain, elements, values, count, driven, rates):  # type: ignore[no-untyped-def]
    """Sum the contributions of one unknown; return how many are driven, and the largest dropped.

    Where all sums are dropped, a difference of two energies is restored; return whether none was.
    """
    for cancelled in (CANCELLED, 0.0):
        if gain[0].size:
            number, dropped = _filled_column(
                key, gain[0], gain[1], elements, values, count, cancelled, driven, rates
            )
        else:
            number, dropped = _column(elements, values, count, cancelled, driven, rates)
        if cancelled > 0.0 and (number > 0 or dropped == 0.0):
            return number, dropped, True
    if number > 1 or driven[0] != key ^ 1:
        number = 0  # not a difference of energies, but of decay and gain
    return number, dropped, False


@compiled
def _gain_factors(filled_jumps, weights):  # type: ignore[no-untyped-def]
    """Left and right factors of the gain from |c⟩⟨d|, (D, K) and (K, D), for every c and d."""
    right = np.empty(
        (filled_jumps.shape[0], filled_jumps.shape[2], filled_jumps.shape[1]), np.complex128
    )
    for d in range(right.shape[0]):
        right[d] = np.conj(filled_jumps[d].T) * weights.reshape(-1, 1)
    return filled_jumps, right, np.abs(filled_jumps), np.abs(right)


@compiled
def _multiply(element, gains, gain):  # type: ignore[no-untyped-def]
    """Write the gain from one element, and the sums of its terms' magnitudes."""
    left, right, left_sizes, right_sizes = gains
    c, d = element >> BITS, element & LOW
    np.dot(left[c], right[d], gain[0])
    np.dot(left_sizes[c], right_sizes[d], gain[1])


@compiled
def explore(drift, jumps, weights, filled_jumps, most, starts):  # type: ignore[no-untyped-def]
    """Return keys, the generator's columns among them as (indptr, indices, data), and a ratio.

    The ratio is that of the largest dropped sum to the rates kept in its column. In a column where
    nothing is kept, a dropped difference of two energies is restored, however small.

    drift: (indptr, indices, data) of −iH − ½ΣL†L. jumps: the same of the stacked jumps, with rows
    k 2³¹ + a; jump k adds weights[k] L_k ρ L_k†. starts: keys without repetition, which come first
    in the result. filled_jumps: (D, D, K) with (L_k)_ac at [c, a, k], in place of `jumps` where
    these hold nothing. most: contributions to be summed, beyond which the search ends; there are
    then fewer columns than keys.
    """
    D = filled_jumps.shape[0]
    width = D * (D + 1)
    gains = _gain_factors(filled_jumps, weights)
    gain = np.empty((D, D), np.complex128), np.empty((D, D))
    work, last = 0, np.int64(-1)
    count = starts.size
    keys = _longer(starts, max(2 * count, FIRST_CAPACITY))
    size = 4 * FIRST_CAPACITY
    while size < 4 * count:
        size *= 2
    table = _hashed(keys, count, size)
    indptr = np.zeros(keys.size + 1, np.int64)
    indices, data = np.empty(8 * keys.size, np.int64), np.empty(8 * keys.size)
    elements, values = np.empty(FIRST_CAPACITY, np.int64), np.empty(FIRST_CAPACITY, np.complex128)
    driven, rates = np.empty(FIRST_CAPACITY, np.int64), np.empty(FIRST_CAPACITY)
    i = filled = 0
    ratio = 0.0
    while i < count and work <= most:
        elements, values, length = _image(keys[i], drift, jumps, weights, elements, values)
        work += length + width
        if 2 * (length + width) > driven.size:
            driven, rates = np.empty(4 * (length + width), np.int64), np.empty(4 * (length + width))
        if D and keys[i] >> 1 != last:
            last = keys[i] >> 1
            _multiply(last, gains, gain)
        number, dropped, certain = _sum(keys[i], gain, elements, values, length, driven, rates)
        if certain and number > 0:
            ratio = max(ratio, dropped / np.sum(np.abs(rates[:number])))
        if filled + number > indices.size:
            indices = _longer(indices, 2 * (filled + number))
            data = _longer(data, 2 * (filled + number))
        for j in range(number):
            slot = _slot(table, keys, driven[j])
            if table[slot] < 0:
                if count == keys.size:
                    keys, indptr = _longer(keys, 2 * count), _longer(indptr, 2 * count + 1)
                keys[count], table[slot] = driven[j], count
                count += 1
            indices[filled], data[filled] = table[slot], rates[j]
            filled += 1
            if 2 * count > table.size:
                table = _hashed(keys, count, 2 * table.size)
        i += 1
        indptr[i] = filled
    return keys[:count], indptr[: i + 1], indices[:filled], data[:filled], ratio
