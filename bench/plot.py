"""A plot of lines over logarithmic axes as SVG, for docs/: the least that shows whether something grows."""
import math

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 360, 80, 50, 20, 200
COLORS = ('#1b6ca8', '#c8553d', '#3c7a3c', '#7a4ea3')


def powers(values):
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


def text(x, y, what, anchor='start'):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{what}</text>'


def plot(lines, below, beside):
    """lines: {name: {x: y}}. below and beside: what the axes are."""
    xs, ys = {x for points in lines.values() for x in points}, {y for points in lines.values() for y in points.values()}
    (x0, x1), (y0, y1) = powers(xs), powers(ys)

    def place(x, y):
        return (LEFT + (math.log10(x) - x0) / max(x1 - x0, 1) * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - (math.log10(y) - y0) / max(y1 - y0, 1) * (HEIGHT - BOTTOM - TOP))
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="13">', f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           text(LEFT, HEIGHT - 10, below), text(5, TOP - 6, beside)]
    for exponent in range(y0, y1 + 1):
        x, y = place(10 ** x0, 10 ** exponent)
        out += [f'<path d="M{x:.0f} {y:.0f}H{WIDTH - RIGHT}" stroke="#ddd"/>', text(x - 8, y + 4, f'{10 ** exponent:,}', 'end')]
    for exponent in range(x0, x1 + 1):
        x, y = place(10 ** exponent, 10 ** y0)
        out += [f'<path d="M{x:.0f} {y:.0f}V{TOP}" stroke="#ddd"/>', text(x, y + 18, f'{10 ** exponent:,}', 'middle')]
    for (name, points), color in zip(lines.items(), COLORS):
        places = [place(x, points[x]) for x in sorted(points)]
        out.append(f'<polyline fill="none" stroke="{color}" stroke-width="2" points="' + ' '.join(f'{x:.1f},{y:.1f}' for x, y in places) + '"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in places]
    last = sorted((place(max(points), points[max(points)])[1], name, color) for (name, points), color in zip(lines.items(), COLORS))
    y = 0
    for at, name, color in last:
        y = max(at + 4, y + 18)  # names do not cover each other
        out.append(f'<text x="{WIDTH - RIGHT + 10}" y="{y:.0f}" fill="{color}">{name}</text>')
    return '\n'.join([*out, '</svg>', ''])
