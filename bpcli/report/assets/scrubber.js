/* The scrubber: shows one of the recorded epochs in all its views.

   All numbers and pictures are in the page. Showing a frame changes attributes of elements that
   exist, and draws on canvases; it makes no elements. */
(() => {
  "use strict";
  const film = document.getElementById("film");
  const block = document.getElementById("film-data");
  if (!film || !block) return;
  const data = JSON.parse(block.textContent);
  const at = (id) => document.getElementById(id);
  const last = data.epochs.length - 1;
  const isStill = matchMedia("(prefers-reduced-motion: reduce)");

  // Numbers in base64, little-endian.
  const bytesOf = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const viewOf = (text) => new DataView(bytesOf(text).buffer);
  const shortsOf = (text) => {
    const view = viewOf(text);
    return Int16Array.from({ length: view.byteLength / 2 }, (_, i) => view.getInt16(2 * i, true));
  };
  const doublesOf = (text) => {
    const view = viewOf(text);
    return Float64Array.from({ length: view.byteLength / 8 }, (_, i) => view.getFloat64(8 * i, true));
  };
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);

  // Each view is a function of the frame.
  const views = [];

  function set(element, name, value) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }

  // The pictures: tiles of one image, drawn on a canvas.
  function sheetView(canvas, sheet, width, height, across, isSmooth) {
    const image = new Image();
    const context = canvas.getContext("2d");
    let shown = -1;
    const draw = (frame) => {
      shown = frame;
      if (!image.complete || !image.naturalWidth) return;
      context.imageSmoothingEnabled = isSmooth;
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.drawImage(
        image, (frame % across) * width, Math.floor(frame / across) * height, width, height,
        0, 0, canvas.width, canvas.height,
      );
    };
    const scale = Math.min(isSmooth ? 7 : 12, Math.max(2, Math.floor(480 / Math.max(width, height))));
    canvas.width = width * scale;
    canvas.height = height * scale;
    image.addEventListener("load", () => draw(shown));
    image.src = sheet;
    views.push(draw);
  }

  function curveView(picture) {
    const values = shortsOf(picture.curves);
    const paths = [...film.querySelectorAll(".plane .curve")];
    const step = picture.size / (picture.points - 1);
    views.push((frame) => {
      paths.forEach((path, number) => {
        const start = (frame * picture.count + number) * picture.points;
        let text = "";
        for (let i = 0; i < picture.points; i += 1) {
          const share = values[start + i] / 32767 + 0.5;
          text += `${i ? "L" : "M"}${(i * step).toFixed(1)} ${((1 - share) * picture.size).toFixed(1)}`;
        }
        set(path, "d", text);
      });
    });
  }

  if (data.picture && data.picture.sheet) {
    const { sheet, side, across } = data.picture;
    sheetView(at("film-canvas"), sheet, side, side, across, true);
  } else if (data.picture) {
    curveView(data.picture);
  }
  data.matrices.forEach((matrix, number) => {
    const canvas = at(`film-matrix-${number}`);
    sheetView(canvas, matrix.sheet, matrix.columns, matrix.rows, matrix.across, false);
  });

  // The lines of the diagram.
  const lines = [...film.querySelectorAll(".film-network .edges line")];
  if (data.weights) {
    const { count, widest, narrowest } = data.weights;
    const values = shortsOf(data.weights.values);
    const widths = lines.map(() => -1);
    const signs = lines.map(() => "");
    views.push((frame) => {
      for (let i = 0; i < count; i += 1) {
        const share = values[frame * count + i] / 32767;
        const width = Math.max(narrowest, Math.round(Math.abs(share) * widest * 20) / 20);
        const sign = share < 0 ? "minus" : "plus";
        if (width !== widths[i]) lines[i].setAttribute("stroke-width", (widths[i] = width));
        if (sign !== signs[i]) lines[i].setAttribute("class", (signs[i] = sign));
      }
    });
  }

  // The point on the loss curve.
  const [trainPoint, valPoint] = film.querySelectorAll(".loss-chart .point");
  const nowLine = film.querySelector(".loss-chart .now");
  views.push((frame) => {
    const x = data.x[frame];
    set(nowLine, "x1", `${x}`);
    set(nowLine, "x2", `${x}`);
    set(trainPoint, "cx", `${x}`);
    set(trainPoint, "cy", `${data.y[frame]}`);
    if (valPoint) {
      set(valPoint, "cx", `${x}`);
      set(valPoint, "cy", `${data.valY[frame]}`);
    }
  });

  // Words.
  const slider = at("film-slider");
  const now = at("film-now");
  const said = at("film-said");
  const { words } = data;
  const epochText = (frame) => data.epochs[frame].toLocaleString("en-US");
  const shortText = (frame) =>
    filled(words.now, { epoch: epochText(frame), loss: data.lossTexts[frame] });
  function fullText(frame) {
    const parts = [shortText(frame)];
    if (data.valTexts) parts.push(filled(words.val, { loss: data.valTexts[frame] }));
    if (data.right) {
      const right = data.right[frame].toLocaleString("en-US");
      parts.push(filled(words.right, { right, rows: data.rows }));
    }
    if (frame === data.best) parts.push(words.kept);
    return parts.join(data.joint);
  }
  views.push((frame) => {
    if (Number(slider.value) !== data.epochs[frame]) slider.value = data.epochs[frame];
    slider.setAttribute("aria-valuetext", shortText(frame));
    now.firstChild.nodeValue = fullText(frame);
  });
  now.append("");

  // The equations: those of `bpnet trace`, with numbers of a station in their slots.
  const panel = at("film-equations");
  let showNumbers = () => {};
  if (data.equations && panel) showNumbers = numbersView(data.equations);

  function numbersView(source) {
    const shared = doublesOf(source.shared);
    const byRow = doublesOf(source.byRow);
    const params = new Map(source.params);
    const names = source.params.map(([name]) => name);
    const own = source.slots - source.nParams;
    const entryChoice = at("film-entry");
    const rowChoice = at("film-row");
    const station = at("film-station");
    const chosenLine = film.querySelector(".edge-chosen");
    const units = [...film.querySelectorAll(".film-network .unit")];
    let pointed = null;
    let key = "";

    function value(slot, number) {
      if (slot < source.nParams) return shared[number * source.nParams + slot];
      const row = number * source.rows + Number(rowChoice.value);
      return byRow[row * own + slot - source.nParams];
    }

    // A number with 6 digits, as Python's :.6g writes it: halves are rounded to even.
    function sixDigits(x) {
      if (Number.isNaN(x)) return "nan";
      if (!Number.isFinite(x)) return x < 0 ? "-inf" : "inf";
      if (x === 0) return "0";
      let [digits, power] = x.toExponential(5).split("e");
      const exact = Math.abs(x).toExponential(60).match(/^(\d)\.(\d{5})(5?)(\d*)e/);
      if (exact[3] === "5" && /^0*$/.test(exact[4]) && Number(exact[2]) % 2 === 0) {
        digits = `${x < 0 ? "-" : ""}${exact[1]}.${exact[2]}`;
      }
      const exponent = Number(power);
      if (exponent < -4 || exponent >= 6) {
        const sign = exponent < 0 ? "-" : "+";
        const size = String(Math.abs(exponent)).padStart(2, "0");
        return `${digits.replace(/\.?0+$/, "")}e${sign}${size}`;
      }
      const plain = Number(`${digits}e${exponent}`).toFixed(5 - exponent);
      return plain.includes(".") ? plain.replace(/\.?0+$/, "") : plain;
    }

    function written(template, number) {
      return template
        .replace(/\{(~?)(\d+)(?:\*(\d+))?\}/g, (_, mark, one, other) => {
          let x = value(Number(one), number);
          if (other) {
            x *= value(Number(other), number);
            if (source.single) x = Math.fround(x);
          }
          return mark && x < 0 ? `(${sixDigits(x)})` : sixDigits(x);
        })
        .replaceAll("+ -", "- ");
    }

    const stationOf = (frame) => {
      let nearest = 0;
      source.frames.forEach((each, number) => {
        if (Math.abs(each - frame) < Math.abs(source.frames[nearest] - frame)) nearest = number;
      });
      return nearest;
    };

    function show(frame) {
      const entry = pointed || entryChoice.value;
      const number = stationOf(frame);
      const wanted = `${entry} ${number} ${rowChoice.value} ${frame === source.frames[number]}`;
      if (wanted === key) return;
      key = wanted;
      const name = entry.slice(1);
      const templates = entry[0] === "u" ? source.units[name] : params.get(name);
      const text = source.frames[number] === frame ? words.station : words.nearest;
      station.textContent = filled(text, { epoch: epochText(source.frames[number]) });
      while (panel.children.length < templates.length) panel.append(document.createElement("p"));
      while (panel.children.length > templates.length) panel.lastChild.remove();
      templates.forEach((parts, i) => {
        panel.children[i].textContent = parts.map((part) => written(part, number)).join(" = ");
      });
      mark(entry, name);
    }

    function mark(entry, name) {
      const index = entry[0] === "p" ? names.indexOf(name) : -1;
      for (const side of ["x1", "y1", "x2", "y2"]) {
        set(chosenLine, side, index < 0 ? "-9" : lines[index].getAttribute(side));
      }
      units.forEach((unit) => unit.classList.toggle("chosen", unit.dataset.name === entry));
    }

    // Pointing: the nearest unit or line of the diagram.
    const network = film.querySelector(".film-network svg");
    const box = network.viewBox.baseVal;
    const ends = lines.map((line) =>
      ["x1", "y1", "x2", "y2"].map((side) => Number(line.getAttribute(side))));
    const centres = units.map((unit) => [Number(unit.getAttribute("cx")), Number(unit.getAttribute("cy"))]);
    const keys = Object.keys(source.units);
    const inputs = units.length - keys.length;
    units.forEach((unit, i) => {
      if (i >= inputs) unit.dataset.name = `u${keys[i - inputs]}`;
    });

    function nearest(event) {
      const place = network.getBoundingClientRect();
      const x = box.x + ((event.clientX - place.left) * box.width) / place.width;
      const y = box.y + ((event.clientY - place.top) * box.height) / place.height;
      for (let i = inputs; i < centres.length; i += 1) {
        if (Math.hypot(x - centres[i][0], y - centres[i][1]) < 12) return units[i].dataset.name;
      }
      let found = null;
      let least = 7;
      ends.forEach(([x1, y1, x2, y2], i) => {
        if (x < Math.min(x1, x2) || x > Math.max(x1, x2)) return;
        const away = Math.abs((x2 - x1) * (y1 - y) - (x1 - x) * (y2 - y1)) / Math.hypot(x2 - x1, y2 - y1);
        if (away < least) [least, found] = [away, `p${names[i]}`];
      });
      return found;
    }

    network.addEventListener("pointermove", (event) => {
      pointed = nearest(event);
      show(current);
    });
    network.addEventListener("pointerleave", () => {
      pointed = null;
      show(current);
    });
    network.addEventListener("click", (event) => {
      const entry = nearest(event);
      if (entry) entryChoice.value = entry;
      show(current);
    });
    entryChoice.addEventListener("input", () => show(current));
    rowChoice.addEventListener("input", () => show(current));
    return show;
  }

  // Showing, stepping and playing.
  let current = -1;
  function show(frame) {
    current = Math.min(Math.max(frame, 0), last);
    views.forEach((view) => view(current));
    showNumbers(current);
  }

  const play = at("film-play");
  const speed = at("film-speed");
  let ticket = 0;
  let from = 0;
  let began = 0;

  function tick(time) {
    const frame = from + Math.floor((((time - began) / 1000) * Number(speed.value) * last) / data.seconds);
    if (frame > current) show(frame);
    if (current >= last) return stop();
    ticket = requestAnimationFrame(tick);
  }

  function start() {
    from = current >= last ? 0 : current;
    show(from);
    began = performance.now();
    said.textContent = "";
    setPlaying(true);
    ticket = requestAnimationFrame(tick);
  }

  function stop() {
    if (!ticket) return;
    cancelAnimationFrame(ticket);
    ticket = 0;
    setPlaying(false);
    said.textContent = current >= last ? filled(words.ended, { now: fullText(current) }) : fullText(current);
  }

  function setPlaying(isPlaying) {
    play.setAttribute("aria-pressed", String(isPlaying));
  }

  play.addEventListener("click", () => (ticket ? stop() : start()));
  speed.addEventListener("input", () => {
    from = current;
    began = performance.now();
  });
  const stepping = { "film-reset": () => 0, "film-back": () => current - 1, "film-forward": () => current + 1 };
  for (const [id, frame] of Object.entries(stepping)) {
    at(id).addEventListener("click", () => {
      stop();
      show(frame());
      said.textContent = fullText(current);
    });
  }

  // An epoch that is not shown leads to the next one in the direction of the change.
  function frameAt(epoch) {
    let low = 0;
    let high = last;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (data.epochs[middle] < epoch) low = middle + 1;
      else high = middle;
    }
    if (low > 0 && data.epochs[low] !== epoch && epoch < data.epochs[current]) low -= 1;
    return low;
  }
  slider.addEventListener("input", () => {
    const epoch = Number(slider.value);
    stop();
    show(frameAt(epoch));
  });

  isStill.addEventListener("change", () => {
    play.hidden = isStill.matches;
    speed.closest("label").hidden = isStill.matches;
    stop();
  });
  play.hidden = isStill.matches;
  speed.closest("label").hidden = isStill.matches;
  film.hidden = false;
  document.querySelectorAll(".film-needs").forEach((each) => (each.hidden = true));
  show(data.best);
})();
