//@ head
/**
 * A network of @layers@, trained by bpnet.
 *
 * `predict` takes rows as objects, such as those of JSON, and returns an object for each: the
 * outputs by name, and the class or the words of labels. null and NaN are missing values.
 * It needs nothing else, and computes in double precision.@trained@
 */

/** @typedef {string | number | boolean | Date | null} Value */
//@ missing
/** Whether a value is missing. */
function isMissing(value) {
    return value === null || value === "" || Number.isNaN(value);
}
//@ number
/** A number, which may be given as text. */
function number(value, column) {
    const isBlank = typeof value === "string" && !value.trim(); // Number(" ") is 0
    const read = isMissing(value) ? fillOf(column) : Number(value);
    if (!Number.isFinite(read) || (isBlank && value !== "")) {
        throw new Error(`\`${value}\` is not a finite number`);
    }
    return [read];
}
//@ boolean
/** 1 for true and 0 for false, which may be given as text. */
function boolean(value, column) {
    const texts = new Map([["true", 1], ["1", 1], ["false", 0], ["0", 0]]);
    const read = isMissing(value) ? fillOf(column) : texts.get(String(value).trim().toLowerCase());
    if (read === undefined) {
        throw new Error(`\`${value}\` is neither true nor false`);
    }
    return [read];
}
//@ fill
/** What replaces a missing value. */
function fillOf(column) {
    if (column.fill === null) {
        throw new Error("the value is missing");
    }
    return column.fill;
}
//@ date
const PATTERNS = {
    "%Y": "(?<Y>\\d{4})", "%y": "(?<y>\\d{2})", "%m": "(?<m>\\d{1,2})", "%d": "(?<d>\\d{1,2})",
    "%H": "(?<H>\\d{1,2})", "%I": "(?<I>\\d{1,2})", "%M": "(?<M>\\d{1,2})", "%S": "(?<S>\\d{1,2})",
    "%f": "(?<f>\\d{1,9})", "%p": "(?<p>[ap])m", "%b": "(?<b>[a-z]{3})", "%B": "(?<B>[a-z]{3,9})",
    "%z": "(?<z>z|[+-]\\d{2}:?\\d{2})",
};
const MONTHS = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
];
const ISO = ["%Y-%m-%d", ...["%H:%M", "%H:%M:%S", "%H:%M:%S.%f"].flatMap((clock) => [
    `%Y-%m-%d ${clock}`, `%Y-%m-%dT${clock}`, `%Y-%m-%dT${clock}%z`,
])];

/** The parts of a text of a format in the letters of Python's strptime; null for another text. */
function matched(text, format) {
    const escaped = format.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
    const pattern = escaped.replace(/%[A-Za-z]/g, (letters) => PATTERNS[letters]);
    return new RegExp(`^${pattern}$`, "i").exec(text.trim())?.groups ?? null;
}

/** The month of a name, from 0; -1 if it is none. `length` letters of it are given. */
function monthNamed(name, length) {
    return MONTHS.findIndex((month) => month.slice(0, length) === name.toLowerCase());
}

/** The days from 1970 of a text, or the fraction of the day of a clock time; NaN for other texts. */
function daysOfText(text, format) {
    const parts = matched(text, format);
    if (parts === null) {
        return NaN;
    }
    const isClock = !/%[YymdbB]/.test(format);
    const short = Number(parts.y ?? 70);
    const year = Number(parts.Y ?? (short < 69 ? 2000 + short : 1900 + short));
    let month = Number(parts.m ?? 1) - 1;
    if (parts.b !== undefined) {
        month = monthNamed(parts.b, 3);
    } else if (parts.B !== undefined) {
        month = monthNamed(parts.B, undefined);
    }
    const day = Number(parts.d ?? 1);
    const date = new Date(0);
    date.setUTCFullYear(year, month, day);
    const isAfternoon = (parts.p ?? "").toLowerCase() === "p";
    const hour = Number(parts.H ?? Number(parts.I ?? 0) % 12) + (isAfternoon ? 12 : 0);
    const [minute, second] = [Number(parts.M ?? 0), Number(parts.S ?? 0)];
    if (date.getUTCMonth() !== month || date.getUTCDate() !== day || hour > 23 || minute > 59
        || second > 59) {
        return NaN;
    }
    const fraction = Number(`${(parts.f ?? "0").padEnd(6, "0").slice(0, 6)}`);
    const seconds = hour * 3600 + (minute - zoneOf(parts.z ?? "z")) * 60 + second;
    const days = (date.getTime() * 1000 + seconds * 1e6 + fraction) / 86400e6;
    return isClock ? days - Math.floor(days) : days;
}

/** The minutes by which a zone is before UTC. */
function zoneOf(text) {
    const digits = text.replace(":", "");
    const minutes = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5));
    return digits.length < 5 ? 0 : digits[0] === "-" ? -minutes : minutes;
}

/** The days from 1970 to a date, and the sine and cosine of its calendar parts. */
function date(value, column) {
    const days = isMissing(value) ? fillOf(column) : daysOf(value, column);
    if (!Number.isFinite(days)) {
        throw new Error(`\`${value}\` is not a date like ${column.formats[0]}`);
    }
    const whole = Math.floor(days);
    const turns = {
        month: new Date(whole * 864e5).getUTCMonth() / 12,
        weekday: (((whole + 3) % 7) + 7) % 7 / 7,
        hour: days - whole,
    };
    const angles = column.calendar.map((part) => 2 * Math.PI * turns[part]);
    return [days, ...angles.flatMap((angle) => [Math.sin(angle), Math.cos(angle)])];
}

/** The days of a Date, in UTC, or of a text. */
function daysOf(value, column) {
    const days = value instanceof Date
        ? [value.getTime() / 864e5]
        : column.formats.map((format) => daysOfText(String(value), format));
    return days.find(Number.isFinite) ?? NaN;
}
//@ category
const SPACES = "[\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";

/** A text without the spaces around it. */
function stripped(text) {
    return text.replace(new RegExp(`^${SPACES}|${SPACES}$`, "g"), "");
}

/** A text without differences of case, width, accent encoding and spaces. */
function folded(text) {
    const small = [...text.normalize("NFKC")].map(
        (sign) => (sign === "ı" ? sign : sign.toUpperCase().toLowerCase()));
    return stripped(small.join("").normalize("NFKC")).replace(new RegExp(SPACES, "g"), " ");
}

/** The shortest text of a number, as Python writes it. */
function textOfNumber(value) {
    const text = Math.abs(value) < 1e-4 ? value.toExponential() : String(value);
    return value === 0 ? "0" : text.replace(/e-(\d)$/, "e-0$1");
}

/** The texts that may name a value: its own, lower case if boolean, its number's (1 for 1.0). */
function formsOf(value) {
    const text = typeof value === "number" ? textOfNumber(value) : stripped(String(value));
    const forms = [text];
    if (/^(true|false)$/i.test(text)) {
        forms.push(text.toLowerCase());
    }
    if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) && Math.abs(text) < 2 ** 53) {
        forms.push(textOfNumber(Number(text)));
    }
    return forms;
}

/** The index of a value's category; -1 if it is missing, -2 if it is unknown. */
function indexOf(value, column) {
    if (isMissing(value)) {
        return -1;
    }
    for (const form of formsOf(value)) {
        const { exact, folded: others } = column;
        const found = exact.has(form) ? exact.get(form) : others.get(folded(form));
        if (Number.isInteger(found)) {
            return found;
        }
    }
    return column.gaps.includes(value) ? -1 : -2;
}

/** 1 for the value's category and 0 for all others; all 0 for an unknown one. */
function category(value, column) {
    const index = indexOf(value, column);
    const known = index === -1 ? fillOf(column) : index;
    return column.categories.map((_, place) => (place === known ? 1 : 0));
}

/** Whether a value is missing, or a text for a missing one. */
function isGap(value, column) {
    return column.kind === "category" ? indexOf(value, column) === -1 : isMissing(value);
}
//@ gap
/** Whether a value is missing. */
function isGap(value) {
    return isMissing(value);
}
//@ encode
const ENCODERS = { @encoders@ };

/** The inputs of the network for a row, in original units. */
function encode(row) {
    return columns.flatMap((column) => {
        if (!Object.hasOwn(row, column.name)) {
            throw new Error(`the column \`${column.name}\` is missing`);
        }
        const value = row[column.name];
        try {
            const inputs = ENCODERS[column.kind](value, column);
            return column.indicator ? [...inputs, isGap(value, column) ? 1 : 0] : inputs;
        } catch (error) {
            throw new Error(`column \`${column.name}\`: ${error.message}`);
        }
    });
}
//@ affine
/** W x + b. */
function affine(W, b, x) {
    return W.map((row, i) => row.reduce((sum, weight, j) => sum + weight * x[j], b[i]));
}
//@ layer
/** @layer@ */
function layer@k@(x) {
    const z = affine(W@k@, b@k@, x);
    const a = new Array(@units@);
@body@    return a;
}
//@ predict
/** The outputs of the network for its inputs, both in original units. */
export function network(inputs) {
    const a0 = @scaled@;
@layers@    return @unscaled@;
}

/**
 * The predictions for rows, one object for each.
 * @param {Record<string, Value>[]} rows
 */
export function predict(rows) {
    return rows.map((row) => {
        const y = network(encode(row));
        return Object.fromEntries([...outputs.map((name, k) => [name, y[k]]), ...answers(y)]);
    });
}
//@ class
/** The predicted class. */
function answers(y) {
    return [["class", classes[@decide@]]];
}
//@ labels
/** The predicted word of each label. */
function answers(y) {
    return labels.map(({ name, words }, k) => [name, words[y[k] >= 0.5 ? 1 : 0]]);
}
//@ values
/** Values have no words. */
function answers() {
    return [];
}
