
// The page.

/** An element with properties and children; texts are never markup. */
function made(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
}

/** A number with few digits. */
function shown(value) {
    return Number.isFinite(value) ? String(Number(value.toPrecision(6))) : String(value);
}

/** A slider and a field for a number from about two deviations below its middle to two above. */
function numberControl(id, { middle, spread }) {
    const step = 10 ** Math.floor(Math.log10(spread / 20));
    const rounded = (value) => Number((Math.round(value / step) * step).toPrecision(12));
    const [min, max] = [rounded(middle - 2 * spread), rounded(middle + 2 * spread)];
    const field = made("input", { type: "number", id, step: "any", value: rounded(middle) });
    const slider = made("input", { type: "range", min, max, step, value: rounded(middle) });
    slider.setAttribute("aria-labelledby", `${id}-label`);
    slider.addEventListener("input", () => { field.value = slider.value; });
    field.addEventListener("input", () => { slider.value = field.value; });
    return { nodes: [slider, field], value: () => field.value };
}

/** A list of values to choose from. */
function choiceControl(id, choices) {
    const options = choices.map(([text], place) => made("option", { value: place }, text));
    const select = made("select", { id }, ...options);
    return { nodes: [select], value: () => choices[Number(select.value)][1] };
}

/** A field for a date or a clock time. */
function dateControl(id, { middle, isClock }) {
    const iso = new Date(middle * 864e5).toISOString();
    const [type, value] = isClock ? ["time", iso.slice(11, 16)] : ["datetime-local", iso.slice(0, 16)];
    const field = made("input", { type, id, value });
    const text = () => (isClock ? `1970-01-01T${field.value}Z` : `${field.value}Z`);
    return { nodes: [field], value: () => (field.value ? new Date(text()) : null) };
}

function controlOf(column, range, id) {
    if (column.kind === "category") {
        const known = column.categories.map((text) => [text, text]);
        return choiceControl(id, [...known, ["(another one)", UNKNOWN]]);
    }
    if (column.kind === "boolean") {
        return choiceControl(id, [["yes", true], ["no", false]]);
    }
    return column.kind === "date" ? dateControl(id, range) : numberControl(id, range);
}

/** A value that is no category. */
const UNKNOWN = "\uE000 another one";

/** The element of an input, and a function that gives its value. */
function inputOf(column, place) {
    const id = `input-${place}`;
    const { nodes, value } = controlOf(column, ranges[place], id);
    const label = made("label", { htmlFor: id, id: `${id}-label` }, column.name);
    const row = made("div", { className: "row" }, ...nodes);
    if (column.fill === null) {
        return { element: made("div", { className: "input" }, label, row), value };
    }
    const gap = made("input", { type: "checkbox" });
    gap.setAttribute("aria-label", `${column.name}: unknown`);
    gap.addEventListener("input", () => nodes.forEach((node) => { node.disabled = gap.checked; }));
    row.append(made("label", { className: "gap" }, gap, " unknown"));
    return {
        element: made("div", { className: "input" }, label, row),
        value: () => (gap.checked ? null : value()),
    };
}

/** A row of the table of outputs, and a function that shows a value in it. */
function outputRow(text) {
    const [number, share] = [made("td"), made("td", { className: "share" })];
    const row = made("tr", {}, made("th", { scope: "row" }, text), number);
    if (areShares) {
        share.append(made("meter", { min: 0, max: 1 }));
        share.firstChild.setAttribute("aria-label", text);
        row.append(share);
    }
    const show = (value) => {
        number.textContent = shown(value);
        if (areShares) {
            share.firstChild.value = Number.isNaN(value) ? 0 : value;
        }
    };
    return { row, show };
}

function page() {
    document.title = name;
    const inputs = columns.map(inputOf);
    const rows = outputs.map(outputRow);
    const answer = made("output", { className: "answer" });
    const error = made("p", { className: "error", role: "alert" });
    const values = made("table", {}, made("tbody", {}, ...rows.map(({ row }) => row)));
    answer.setAttribute("aria-live", "polite");
    const update = () => {
        error.textContent = "";
        try {
            const row = Object.fromEntries(
                columns.map((column, place) => [column.name, inputs[place].value()]));
            const y = network(encode(row));
            rows.forEach(({ show }, place) => show(y[place]));
            answer.textContent = answers(y).map(
                ([label, word]) => (label === "class" ? word : `${label}: ${word}`)).join(", ");
        } catch (problem) {
            error.textContent = problem.message;
            answer.textContent = "";
            rows.forEach(({ show }) => show(NaN));
        }
    };
    const form = made("section", { id: "inputs" }, made("h2", {}, "Inputs"),
        ...inputs.map(({ element }) => element));
    const results = made("section", { className: "answers" }, made("h2", {}, "Prediction"),
        answer, error, values);
    document.querySelector("main").append(
        made("h1", {}, name), made("p", {}, about),
        made("div", { className: "sides" }, form, results));
    form.addEventListener("input", update);
    update();
}

if (typeof document !== "undefined") {
    page();
}
