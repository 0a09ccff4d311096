"use strict";
/* Reads out the values of charts at the pointer and by arrow keys, and sorts tables.
   Without this script, the page shows the same. */
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const text = value => value === null ? "–" : String(value).replace("-", "−");

  /* Lines: all curves at the nearest of the epochs that any of them has. */
  function lines(data, svg) {
    const [low, high, start, end] = data.x;
    const stops = [...new Set(data.curves.flatMap(curve => curve[1]))].sort((a, b) => a - b);
    const reader = svg.appendChild(document.createElementNS(SVG, "line"));
    reader.setAttribute("class", "reader");
    const box = svg.viewBox.baseVal;
    return {
      count: stops.length,
      at: x => {
        const value = low + (x - start) / (end - start) * (high - low);
        let best = 0;
        stops.forEach((stop, place) => {
          if (Math.abs(stop - value) < Math.abs(stops[best] - value)) best = place;
        });
        return best;
      },
      show: place => {
        const x = start + (stops[place] - low) / (high - low) * (end - start);
        for (const [name, value] of [["x1", x], ["x2", x], ["y1", 38], ["y2", box.height - 40]])
          reader.setAttribute(name, value);
        const said = data.curves.map(([name, xs, ys]) => {
          let found = -1;
          xs.forEach((value, i) => { if (value <= stops[place]) found = i; });
          const exact = found >= 0 && (xs[found] === stops[place] || found < xs.length - 1);
          return exact ? name + " " + text(ys[found]) : null;
        }).filter(part => part !== null);
        return data.name + " " + text(stops[place]) + ": " + said.join("; ");
      },
      hide: () => reader.removeAttribute("x1"),
    };
  }

  /* Points: the nearest one. */
  function points(data, svg) {
    const [rows, xs, ys] = data.points;
    const scale = (axis, value) =>
      axis[2] + (value - axis[0]) / (axis[1] - axis[0]) * (axis[3] - axis[2]);
    const place = xs.map((x, i) => [scale(data.x, x), scale(data.y, ys[i])]);
    const order = xs.map((_, i) => i).sort((a, b) => xs[a] - xs[b]);
    const ring = svg.appendChild(document.createElementNS(SVG, "circle"));
    ring.setAttribute("class", "ring");
    return {
      count: xs.length,
      at: (x, y) => {
        let best = 0, least = Infinity;
        order.forEach((i, rank) => {
          const far = (place[i][0] - x) ** 2 + (place[i][1] - y) ** 2;
          if (far < least) { least = far; best = rank; }
        });
        return best;
      },
      show: rank => {
        const i = order[rank];
        ring.setAttribute("cx", place[i][0]);
        ring.setAttribute("cy", place[i][1]);
        ring.setAttribute("r", 6);
        const [row, x, y] = data.names;
        return row + " " + rows[i] + ": " + x + " " + text(xs[i]) + "; " + y + " " + text(ys[i]);
      },
      hide: () => ring.setAttribute("r", 0),
    };
  }

  /* Bars and lines of a diagram, which say themselves what they are. */
  function parts(svg) {
    const found = [...svg.querySelectorAll("[data-say]")];
    let last = null;
    return {
      count: found.length,
      of: target => found.indexOf(target.closest("[data-say]")),
      at: () => -1,
      show: place => {
        if (last) last.classList.remove("said");
        last = found[place];
        last.classList.add("said");
        return last.dataset.say;
      },
      hide: () => { if (last) last.classList.remove("said"); },
    };
  }

  function readable(figure) {
    const svg = figure.querySelector("svg.chart");
    if (!svg) return;
    const block = document.getElementById(figure.id + "-data");
    const data = block ? JSON.parse(block.textContent) : null;
    const reader = !data ? parts(svg) : data.kind === "lines" ? lines(data, svg) : points(data, svg);
    if (!reader.count) return;
    const output = document.createElement("output");
    output.className = "readout";
    figure.append(output);
    const box = document.createElement("div");
    box.tabIndex = 0;
    box.className = "sensitive";
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", figure.dataset.label + ". " + figure.dataset.hint);
    svg.before(box);
    box.append(svg);
    let place = -1;
    const say = next => {
      if (next < 0 || next === place) return;
      place = next;
      output.textContent = reader.show(place);
    };
    const quiet = () => {
      place = -1;
      reader.hide();
      output.textContent = "";
    };
    const read = event => {
      if (reader.of) return say(reader.of(event.target));
      const size = svg.getBoundingClientRect(), view = svg.viewBox.baseVal;
      say(reader.at((event.clientX - size.left) * view.width / size.width,
                    (event.clientY - size.top) * view.height / size.height));
    };
    box.addEventListener("pointerdown", read);
    box.addEventListener("pointermove", read);
    box.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") quiet(); });
    box.addEventListener("blur", quiet);
    box.addEventListener("keydown", event => {
      const step = Math.max(1, Math.round(reader.count / 20));
      const last = reader.count - 1;
      const to = {
        ArrowRight: place + 1, ArrowLeft: place - 1, PageDown: place + step, PageUp: place - step,
        Home: 0, End: last,
      }[event.key];
      if (event.key === "Escape") return quiet();
      if (to === undefined) return;
      event.preventDefault();
      say(Math.min(last, Math.max(0, to)));
    });
  }

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    const value = (row, column) => {
      const cell = row.cells[column];
      return cell.dataset.v !== undefined ? Number(cell.dataset.v) : cell.textContent.trim();
    };
    const compare = (a, b) => {
      const numbers = [a, b].map(each => typeof each === "number");
      if (numbers[0] && numbers[1]) return a - b;
      if (numbers[0] !== numbers[1]) return numbers[0] ? -1 : 1;
      return a.localeCompare(b, undefined, { numeric: true });
    };
    heads.forEach((head, column) => {
      // Not a button element: with one, the browser does not repeat the head on the next sheet.
      const button = document.createElement("span");
      button.setAttribute("role", "button");
      button.tabIndex = 0;
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("keydown", event => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        button.click();
      });
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach(other => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].sort((a, b) => compare(value(a, column), value(b, column)));
        body.append(...(down ? rows.reverse() : rows));
      });
    });
  }

  /* One line on how to read charts, above the first of each section. */
  function hint(section) {
    const first = section.querySelector(".charts, figure.reads");
    if (!first) return;
    const line = document.createElement("p");
    line.className = "aside hint";
    line.textContent = section.querySelector("figure.reads").dataset.hint;
    first.before(line);
  }

  document.querySelectorAll("section:has(figure.reads)").forEach(hint);
  document.querySelectorAll("figure.reads").forEach(readable);
  document.querySelectorAll("table[data-sort]").forEach(sortable);
})();
