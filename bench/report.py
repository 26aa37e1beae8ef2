"""The table, and two plots in SVG, of what was measured."""

import math

NOT_KNOWN = "-"


def number(value):
    """Three digits and, of large numbers, all before the point."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def goal(line):
    if "limit" in line:
        return f"< {number(line['limit'])} {line['unit']}"
    if line["reach"] is None:
        return NOT_KNOWN
    return f"{'<=' if line['at_most'] else '>='} {line['reach']:g}" + (f" ({line['aim']:g})" if line["aim"] else "")


def cells(line):
    if "skipped" in line:
        return [line["name"], "skipped", line["skipped"], "", "", "", ""]
    return [
        line["name"],
        f"{number(line['measured'])} {line['unit']}",
        f"{number(line['baseline'])} {line['baseline_name']}" if line["baseline"] else NOT_KNOWN,
        f"{line['ratio']:.2f}" if line["ratio"] else NOT_KNOWN,
        f"{line['lowest']:.2f} .. {line['highest']:.2f}",
        goal(line),
        {True: "reached", False: "MISSED", None: NOT_KNOWN}[line["met"]],
    ]


def table(lines):
    rows = [["measure", "median", "baseline, in turns with it", "ratio", "of rounds", "reach (aim)", ""]]
    rows += [cells(line) for line in lines]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


# ---- plots ----


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def text(x, y, words, anchor="start", color="#222", size=12):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}" font-size="{size}">{escaped(words)}</text>'


def stroke(points, color, width=1, dash=""):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}"{dashes}/>'


def svg(width, height, parts):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif">\n<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def share(line):
    """How much of what is to be reached was reached: 1 is just enough, more is better."""
    if "limit" in line:
        return line["limit"] / line["measured"]
    return line["reach"] / line["ratio"] if line["at_most"] else line["ratio"] / line["reach"]


def ratios_plot(lines):
    """A bar for each line with a goal, all on one logarithmic scale; the goal is the line at 1."""
    lines = [line for line in lines if "skipped" not in line and (line["reach"] or "limit" in line)]
    left, right, top, step = 400, 800, 56, 26
    width, height = 1000, top + step * len(lines) + 20
    low, high = -1.0, max([1.0, *(math.log10(share(line)) for line in lines)])

    def x(value):
        return left + (min(max(math.log10(value), low), high) - low) / (high - low) * (right - left)

    parts = [text(20, 28, "What was reached, as a multiple of what is to be reached (1: just enough)", size=15)]
    for i, line in enumerate(lines):
        y = top + i * step
        color = "#2f7d4f" if line["met"] else "#b3412f"
        words = " / ".join(filter(None, (line["name"], line["baseline_name"])))
        parts.append(text(left - 8, y + 13, words[:62], "end", size=11))
        parts.append(f'<rect x="{left}" y="{y}" width="{x(share(line)) - left:.1f}" height="18" fill="{color}"/>')
        shown = f"{number(line['measured'])} {line['unit']}" if "limit" in line else f"{line['ratio']:.2f}"
        parts.append(text(x(share(line)) + 6, y + 13, f"{shown}  (reach {goal(line)})", size=11))
    parts.append(stroke([(x(1), top - 8), (x(1), height - 14)], "#222", 1.5, "4 3"))
    return svg(width, height, parts)


def growth_plot(curves):
    """Each curve in multiples of its first point, both axes logarithmic; dashed: linear."""
    left, right, top, bottom = 70, 520, 50, 400
    colors = ["#1f5fa8", "#7d3fa0", "#c7822b", "#2f7d4f"]

    def place(growth, cost):
        across = left + math.log10(growth) * (right - left)
        return across, bottom - math.log10(min(max(cost, 0.8), 12) / 0.8) / math.log10(12 / 0.8) * (bottom - top)

    parts = [text(20, 28, "Cost of a call as the environment grows (multiples of the smallest)", size=15)]
    for n in (1, 2, 4, 10):
        parts.append(stroke([place(n, 0.8), place(n, 12)], "#ddd"))
        parts.append(stroke([place(1, n), place(10, n)], "#ddd"))
        parts.append(text(place(n, 1)[0], bottom + 18, f"{n} x as many", "middle", size=11))
        parts.append(text(left - 8, place(1, n)[1] + 4, f"{n} x", "end", size=11))
    parts.append(stroke([place(1, 1), place(10, 10)], "#888", 1, "5 4"))
    for i, (name, points) in enumerate(curves.items()):
        size, cost = points[0]
        scaled = [place(n / size, each / cost) for n, each in points]
        parts.append(stroke(scaled, colors[i % 4], 2.5))
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colors[i % 4]}"/>' for x, y in scaled]
        ends = f"{name}: {points[0][0]} to {points[-1][0]}, {number(points[0][1])} to {number(points[-1][1])} us"
        parts.append(text(right + 30, top + 20 + i * 24, ends, color=colors[i % 4]))
    return svg(1000, 440, parts)


def instances_plot(curves):
    """Throughput, and below it the time within which 99 of 100 requests are answered, by the number
    of instances; from nothing to the largest, so that distances are as large as they look."""
    left, right, height, colors = 70, 700, 220, ("#1f5fa8", "#b3412f")
    parts = [text(20, 28, "Many API instances, ten connections and ten clients each, on two cores", size=15)]
    for row, (what, title) in enumerate((("rate", "requests a second"), ("p99", "99 % within, ms"))):
        top = 60 + row * (height + 60)
        own = {name.split(", ")[1]: points for name, points in curves.items() if name.startswith(what)}
        most = max(n for points in own.values() for n, _ in points)
        high = max(value for points in own.values() for _, value in points) or 1

        def place(n, value, top=top, most=most, high=high):
            return left + n / most * (right - left), top + height - value / high * (height - 10)

        parts.append(text(left, top - 6, title))
        for share in (0, 0.25, 0.5, 0.75, 1):
            x, y = place(share * most, share * high)
            parts += [stroke([(left, y), (right, y)], "#ddd"), stroke([(x, top), (x, top + height)], "#ddd")]
            parts.append(text(left - 8, y + 4, number(share * high), "end", size=11))
            parts.append(text(x, top + height + 18, number(share * most), "middle", size=11))
        for color, (name, points) in zip(colors, own.items()):
            placed = [place(n, value) for n, value in points]
            parts.append(stroke(placed, color, 2.5))
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"/>' for x, y in placed]
            parts.append(text(right + 12, placed[-1][1] + 4, name, color=color))
    parts.append(text((left + right) / 2, 60 + 2 * height + 60 + 36, "instances", "middle"))
    return svg(1000, 60 + 2 * height + 110, parts)
