"use strict";
// The shared page's arithmetic: the same floating-point operations in the same order as the toolkit's weighted sum,
// so that page and Python agree to the last digit. Nothing here asks a server for anything.
const sum = (values) => values.reduce((total, value) => total + value, 0);
const proportional = (values) => {
  const total = sum(values);
  return values.map((value) => value / total);
};
const heard = (weights, silent) => {
  const values = weights.map((weight, i) => (silent[i] ? 0 : weight));
  return silent.some(Boolean) && values.some((value) => value > 0) ? proportional(values) : weights;
};
const scoresOf = (utilities, weights) => utilities.map((row) => {
  let total = 0;
  for (let i = 0; i < weights.length; i += 1) if (weights[i]) total += weights[i] * row[i];
  return total;
});
const ranksOf = (scores, labelRank) => {
  const order = scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a]);
  const ends = [scores[order[0]], scores[order[order.length - 1]]].map(Math.abs);
  const tolerance = 1e-12 * Math.max(1, ...ends);
  const ranks = [];
  const sorted = [];
  for (let start = 0, end; start < order.length; start = end) {
    for (end = start + 1; end < order.length && scores[order[end - 1]] - scores[order[end]] <= tolerance;) end += 1;
    const level = order.slice(start, end).sort((a, b) => labelRank[a] - labelRank[b]);
    for (const row of level) { ranks[row] = start + 1; sorted.push(row); }
  }
  return { ranks, order: sorted };
};
const ranking = (data, raw) => {
  const weights = heard(proportional(raw), data.silent);
  const scores = scoresOf(data.utilities, weights);
  return { weights, scores, ...ranksOf(scores, data.labelRank) };
};

const start = () => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const made = (name, text = "", css = "") => {
    const node = document.createElement(name);
    node.textContent = text;
    if (css) node.className = css;
    return node;
  };
  const row = (cells, name = "td") => {
    const line = made("tr");
    cells.forEach((cell) => line.append(cell instanceof Node ? cell : made(name, cell)));
    return line;
  };
  const sliders = data.criteria.map((criterion, i) => {
    const slider = at(`w${i}`);
    slider.addEventListener("input", () => draw());
    return slider;
  });
  const points = () => sliders.map((slider) => Number(slider.value));
  const money = (amount) => `${Number(amount.toPrecision(3)).toLocaleString("en")} ${data.currency} a month`;

  const draw = () => {
    const raw = points();
    const nothing = !raw.some((value) => value > 0);
    at("first").textContent = nothing ? "Give at least one criterion some points." : "";
    at("give").disabled = nothing;
    if (nothing) return;
    const found = ranking(data, raw);
    sliders.forEach((slider, i) => {
      at(`o${i}`).textContent = `${raw[i]} points, ${(100 * found.weights[i]).toFixed(0)} %`;
    });
    const best = found.order[0];
    at("first").textContent = `First by these weights: ${data.names[best]} (${found.scores[best].toFixed(3)} of 1).`;
    at("means").replaceChildren(...consequences(found, best).map((text) => made("li", text)));
    at("ranking").replaceChildren(...found.order.map((i) => row([
      String(found.ranks[i]), data.names[i], ...data.figures[i], found.scores[i].toFixed(3),
    ])));
    compare(found);
  };
  const consequences = (found, best) => {
    const told = data.told[best].slice();
    const cost = data.criteria.length - 1;
    data.criteria.slice(0, cost).forEach((criterion, i) => {
      if (found.weights[i] && found.weights[cost]) {
        const worth = (found.weights[i] / found.weights[cost]) * data.costSpan;
        told.push(`To you, ${criterion.toLowerCase()} from ${data.ends[i][0]} to ${data.ends[i][1]} is worth ${money(worth)}.`);
      }
    });
    return told;
  };
  const compare = (found) => {
    const pair = [at("left"), at("right")].map((select) => Number(select.value));
    const lines = data.criteria.map((criterion, i) => {
      const gain = found.weights[i] * (data.utilities[pair[0]][i] - data.utilities[pair[1]][i]);
      return row([criterion, ...pair.map((design) => data.figures[design][i]), gain.toFixed(3)]);
    });
    const lead = found.scores[pair[0]] - found.scores[pair[1]];
    lines.splice(1, 0, row(["Days a year open to another", ...pair.map((design) => data.days[design]), ""]));
    lines.push(row(["All", ...pair.map((design) => found.scores[design].toFixed(3)), lead.toFixed(3)], "th"));
    at("compared").replaceChildren(...lines);
  };
  ["left", "right"].forEach((id, place) => {
    data.names.forEach((name, i) => { const option = made("option", name); option.value = i; at(id).append(option); });
    at(id).value = data.opened[place];
    at(id).addEventListener("change", () => draw());
  });
  at("give").addEventListener("click", () => {
    const raw = points();
    const who = at("who").value.trim();
    if (!who) { at("given").textContent = "Enter your name first."; at("who").focus(); return; }
    const weights = Object.fromEntries(data.keys.map((key, i) => [key, raw[i]]));
    const answer = { schema: "tenancykit/weights/v1", question: data.question, who, weights };
    const link = made("a");
    link.href = URL.createObjectURL(new Blob([`${JSON.stringify(answer, null, 2)}\n`], { type: "application/json" }));
    link.download = `weights-${who.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, 40) || "mine"}.json`;
    link.click();
    at("given").textContent = `${link.download} is in your downloads. Send it to whoever sent you this page.`;
  });
  draw();
};
if (typeof document !== "undefined") start();
