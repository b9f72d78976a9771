"use strict";
(() => {
  const study = JSON.parse(document.getElementById("study").textContent);
  const at = (id) => document.getElementById(id);
  const choices = ["experiment", "alpha", "rate", "strategy", "round", "claim", "layer"];
  const CHOSEN = "chosen";
  const DENSE = "dense/dense";
  const NOT_JUDGED = study.marks.at(-1);
  const system = matchMedia("(prefers-color-scheme: dark)");
  const views = {};
  const state = { step: null };

  // What is chosen, and what follows from it.

  const theme = () => document.documentElement.dataset.theme || (system.matches ? "dark" : "light");
  const experiment = () => study.experiments[state.experiment];
  const number = (value, digits = 3) => (value === null ? "" : String(Number(value.toPrecision(digits))));
  const amount = (value) => (value === null ? "none" : number(value, 4) + (experiment().unit && " %"));
  const interval = (low, high, digits = 4) =>
    low === null || high === null ? "" : `[${number(low, digits)}, ${number(high, digits)}]`;
  const styleOf = (key) => experiment().strategies.find((one) => one.key === key);
  const name = (key) => (styleOf(key) || { label: key }).label;
  const atRate = (row) => (state.rate === CHOSEN ? row.chosen : String(row.lr) === state.rate);
  const shown = () => experiment().curves.filter((row) => String(row.alpha) === state.alpha && atRate(row));
  const here = () => shown().find((row) => row.strategy === state.strategy && String(row.round) === state.round);
  const denseHere = () => shown().find((row) => row.strategy === DENSE);

  const alphaSaid = (alpha) => (Number.isNaN(Number(alpha)) ? alpha : `alpha ${alpha}`); // or "linearized"

  // A claim's rows about a run: at its own rate, or, if validation chose the rate, at the one where they were judged.
  function claimsOf(row) {
    const about = experiment().claims.filter(
      (one) => one.strategy === row.strategy && one.alpha === row.alpha && one.round === row.round);
    const own = about.filter((one) => one.lr === row.lr);
    return state.rate === CHOSEN && !own.length ? about : own.concat(
      state.rate === CHOSEN ? about.filter((one) => !own.some((other) => other.claim === one.claim)) : []);
  }
  const verdictOf = (row) => (claimsOf(row).find((one) => one.claim === state.claim) || { verdict: NOT_JUDGED }).verdict;

  function fill(id, options) {
    const kept = options.some(([value]) => value === state[id]) ? state[id] : (options[0] || [""])[0];
    const same = options.length === at(id).length &&
      options.every(([value, text], i) => at(id)[i].value === value && at(id)[i].text === text);
    // Someone may be choosing in it: what is the same stays.
    if (!same) at(id).replaceChildren(...options.map(([value, text]) => new Option(text, value)));
    if (at(id).value !== kept) at(id).value = kept;
    state[id] = kept;
  }

  const unique = (values) => [...new Set(values)];

  function fillAll() {
    fill("experiment", Object.keys(study.experiments).map((key) => [key, key]));
    const { curves, strategies, claims } = experiment();
    const alphas = unique(curves.map((row) => row.alpha));
    fill("alpha", alphas.map((alpha) => [String(alpha), String(alpha)]));
    const rates = unique(curves.filter((row) => String(row.alpha) === state.alpha).map((row) => row.lr));
    fill("rate", [[CHOSEN, "chosen on validation"],
      ...rates.sort((a, b) => a - b).map((lr) => [String(lr), `× ${lr}`])]);
    const there = unique(shown().map((row) => row.strategy));
    fill("strategy", strategies.filter((one) => there.includes(one.key)).map((one) => [one.key, one.label]));
    const rounds = shown().filter((row) => row.strategy === state.strategy).sort((a, b) => a.round - b.round);
    // At first one at which claims are decided.
    state.round ??= String((rounds.find((row) => claimsOf(row).some((one) => one.decides)) || rounds[0] || {}).round);
    fill("round", rounds.map((row) => [String(row.round), `${row.percent} % (round ${row.round})`]));
    const judged = unique(claims.filter((row) => row.alpha !== null).map((row) => row.claim));
    fill("claim", Object.entries(study.claims).filter(([key]) => judged.includes(key)));
    fill("layer", unique(entries().map((one) => one.layer)).map((layer, i, all) =>
      [String(layer), i === all.length - 1 && all.length > 1 ? `${layer} (output)` : String(layer)]));
    fillSteps();
  }

  // Performance.

  function rowsOfCurves() {
    const paper = study.themes[theme()].colors.paper;
    return shown().filter((row) => row.strategy !== DENSE && row.mean !== null && styleOf(row.strategy)).map((row) => {
      const chosen = row.strategy === state.strategy;
      const style = styleOf(row.strategy);
      const verdict = verdictOf(row);
      const color = style[theme()];
      return { ...row, density: 100 * row.density, label: style.label, color, dash: style.dash, verdict,
        weight: chosen ? 3.2 : 1.4, strength: chosen ? 1 : 0.85, shade: chosen ? 0.28 : 0.1, size: chosen ? 100 : 60,
        fill: verdict === "holds" || verdict === NOT_JUDGED ? color : paper,
        interval: interval(row.low, row.high) || "from fewer than 3 seeds: none" };
    }).sort((a, b) => (a.strategy === state.strategy) - (b.strategy === state.strategy) || a.round - b.round);
  }

  function dataOfCurves() {
    const ink = study.themes[theme()].colors.ink;
    const rows = rowsOfCurves();
    const dense = denseHere();
    const mine = here();
    const densities = unique(shown().filter((row) => row.strategy !== DENSE).map((row) => 100 * row.density));
    return {
      curves: rows,
      dense: dense && dense.mean !== null ? [{ ...dense, low: dense.low ?? dense.mean,
        high: dense.high ?? dense.mean, color: ink }] : [],
      here: mine && mine.mean !== null ? [{ ...mine, density: 100 * mine.density, color: ink }] : [],
      ticks: densities.sort((a, b) => a - b),
    };
  }

  async function drawCurves() {
    const { ticks, ...data } = dataOfCurves();
    Object.entries(data).forEach(([key, rows]) => views.curves.data(key, rows));
    await views.curves.signal("ticks", ticks).runAsync();
    tellCurves(here(), denseHere());
    legends();
    tables(here(), data.curves);
  }

  function tellCurves(mine, dense) {
    const { name: metric } = experiment();
    const told = (row) => `${amount(row.mean)} ${interval(row.low, row.high) ||
      "without an interval (fewer than 3 seeds)"}, ${row.seeds} seed${row.seeds === 1 ? "" : "s"}` +
      (row.diverged ? `, ${row.diverged} diverged` : "");
    if (!mine) {
      at("said").textContent = "No run of this strategy at this rate.";
      return;
    }
    const how = state.rate === CHOSEN ? ", chosen on validation" : "";
    const claim = study.claims[state.claim];
    at("said").textContent =
      `${state.experiment}, ${alphaSaid(state.alpha)}, rate × ${mine.lr}${how}: ${name(mine.strategy)} with ` +
      `${mine.percent} % of the weights has a ${metric} of ${told(mine)}; dense: ` +
      `${dense ? told(dense) : "not run at this rate"}. ` +
      (claim ? `${claim}: ${verdictOf(mine)}.` : "");
    at("curves-note").textContent =
      "Lines are means over seeds, bands 95 % intervals (Student's t, from three seeds on); the horizontal line is " +
      "the dense network. Marks show the verdict of the linked claim at each density; a vertical line and a ring " +
      "show what is chosen. " + (state.rate === CHOSEN ? "" : "Claims are judged at the rates chosen on validation, " +
      "so at this rate there may be no verdict. ") + (experiment().metric === "test_loss" ?
      "The axis is logarithmic, and means and intervals are geometric." : "");
  }

  const svg = (inner, width) => `<svg width="${width}" height="16" viewBox="0 0 ${width} 16" aria-hidden="true">${inner}</svg>`;
  const SHAPES = {
    holds: '<circle cx="8" cy="8" r="5" fill="currentColor"/>',
    fails: '<path d="M3 3l10 10M13 3l-10 10" stroke="currentColor" stroke-width="2"/>',
    undecided: '<path d="M8 2l5 6l-5 6l-5 -6z" fill="none" stroke="currentColor" stroke-width="1.5"/>',
    [NOT_JUDGED]: '<path d="M2 8h12" stroke="currentColor" stroke-width="2"/>',
  };

  function item(picture, text, chosen) {
    const li = document.createElement("li");
    li.innerHTML = picture;
    li.append(text);
    li.classList.toggle("chosen", chosen);
    return li;
  }

  function legends() {
    const there = unique(shown().map((row) => row.strategy));
    at("verdicts").replaceChildren(...study.marks.map((verdict) => item(svg(SHAPES[verdict], 16), verdict, false)));
    const line = (color, dash) => svg(`<path d="M0 8h32" stroke="${color}" stroke-width="3" stroke-dasharray="${dash}"/>`, 32);
    at("strategies").replaceChildren(
      item(line("currentColor", "1 0"), "dense", false),
      ...experiment().strategies.filter((one) => there.includes(one.key)).map((one) =>
        item(line(one[theme()], one.dash.join(" ")), one.label, one.key === state.strategy)));
  }

  function tableRow(cells, linked) {
    const tr = document.createElement("tr");
    tr.classList.toggle("linked", Boolean(linked));
    tr.append(...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
    return tr;
  }

  function tables(mine, rows) {
    const placeless = experiment().claims.filter(
      (one) => one.alpha === null && one.strategy === state.strategy && (one.round === null || String(one.round) === state.round));
    const found = (mine ? claimsOf(mine) : []).concat(placeless);
    at("claims-caption").textContent = mine
      ? `Claims on ${name(mine.strategy)}, ${alphaSaid(state.alpha)}, ${mine.percent} % of weights`
      : "Claims";
    const body = found.map((one) => tableRow([
      `${study.claims[one.claim]} (${one.statistic.replaceAll("_", " ")}${one.alpha === null ? ", all alphas" : ""}` +
        `${mine && one.lr !== null && one.lr !== mine.lr ? `, rate × ${one.lr}` : ""})`,
      one.verdict + (one.verdict === "undecided" && one.seeds_needed ? `, ${one.seeds_needed} seeds would decide` : "") +
        (one.decides ? "" : " (does not decide)"),
      number(one.estimate),
      one.ci_low === null || one.ci_high === null ? "" :
        `${interval(one.ci_low, one.ci_high, 3)} (${number(100 * one.confidence)} %)`,
      String(one.n_seeds)], one.claim === state.claim));
    at("claims").tBodies[0].replaceChildren(...(body.length ? body : [tableRow(["No claim is judged here."])]));
    at("claims-note").textContent = study.explanations[state.claim] || "";
    at("numbers").tBodies[0].replaceChildren(...rows.map((row) => tableRow([row.label, number(row.density),
      number(row.mean, 4), interval(row.low, row.high) || "none", String(row.seeds), row.verdict])));
  }

  // Matrices.

  function entries() {
    const mine = here();
    const there = experiment().matrices.filter((one) => String(one.alpha) === state.alpha);
    const at = (lr) => there.filter((one) => one.lr === lr);
    const own = mine ? at(mine.lr) : [];
    return own.length || state.rate !== CHOSEN || !there.length ? own : at(there[0].lr);
  }

  // The network of the strategy that is chosen, or tickets where only they were kept; of the nearest round kept.
  function prunedName(entry) {
    const kept = Object.keys(entry.networks).filter((key) => !key.startsWith(`${DENSE}@`));
    const of = (strategy) => kept.filter((key) => key.startsWith(`${strategy}@`));
    const mine = [of(state.strategy), of("magnitude/init"), kept].find((some) => some.length);
    const distance = (key) => Math.abs(Number(key.split("@")[1]) - Number(state.round));
    return mine.reduce((best, key) => (distance(key) < distance(best) ? key : best));
  }

  const entry = () => entries().find((one) => String(one.layer) === state.layer);
  const stepsOf = (one) => one.networks[`${DENSE}@0`].steps;

  function fillSteps() {
    const one = entry();
    at("matrices").hidden = !one;
    at("matrices-none").hidden = Boolean(one);
    if (!one) return;
    const steps = stepsOf(one);
    if (!steps.includes(state.step)) state.step = steps.at(-1);
    at("step").max = steps.length - 1;
    at("step").value = steps.indexOf(state.step);
  }

  const decoded = new Map();
  function levels(text) {
    if (!decoded.has(text)) decoded.set(text, Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
    return decoded.get(text);
  }

  // Cells of a matrix at a step; level 0 stands for what is not finite, and is not drawn.
  function cells(one, network, step) {
    const which = network.steps.indexOf(step);
    if (which < 0) return [];
    const all = levels(network.levels);
    const rows = [];
    for (let unit = 0; unit < one.units; unit += 1) {
      for (let sample = 0; sample < one.samples; sample += 1) {
        const level = all[(which * one.units + unit) * one.samples + sample];
        rows.push({ x: sample, y: unit, unit: unit + 1, label: one.labels[sample],
          value: level ? ((level - 128) / 127) * one.limit : null });
      }
    }
    return rows;
  }

  async function drawMatrices() {
    const one = entry();
    if (!one) return;
    const key = prunedName(one);
    const [strategy, round] = key.split("@");
    const networks = { dense: one.networks[`${DENSE}@0`], pruned: one.networks[key] };
    await Promise.all(Object.entries(networks).map(([which, network]) => {
      views[which].signal("limit", one.limit).data("cells", cells(one, network, state.step));
      return views[which].runAsync();
    }));
    const steps = stepsOf(one);
    const row = shown().find((other) => other.strategy === strategy && String(other.round) === round);
    const density = row ? `${row.percent} % of weights` : `round ${round}`;
    at("step-told").textContent = state.step.toLocaleString("en");
    at("step").setAttribute("aria-valuetext", `step ${state.step}, ${steps.indexOf(state.step) + 1} of ${steps.length}`);
    at("dense-caption").textContent = "Dense network, 100 % of weights";
    at("pruned-caption").textContent = `${name(strategy)}, ${density}`;
    const instead = strategy !== state.strategy ? `Of ${name(state.strategy)} no preactivations were kept: shown is ` +
      `${name(strategy)}. ` : "";
    const nearest = round !== state.round ? `Nearest density kept: ${density}. ` : "";
    const late = networks.pruned.steps.includes(state.step) ? "" :
      `The pruned network starts at step ${networks.pruned.steps[0]} and has no matrix here. `;
    at("matrices-said").textContent = `${instead}${nearest}${late}Layer ${one.layer}, ${alphaSaid(one.alpha)}, rate × ` +
      `${one.lr}, seed ${one.seed}, step ${state.step}.`;
    at("scale-low").textContent = `≤ −${number(one.limit)}`;
    at("scale-high").textContent = `≥ ${number(one.limit)}`;
    at("scale-bar").style.background = `linear-gradient(to right, ${study.themes[theme()].diverging.join(", ")})`;
    at("matrices-note").textContent =
      `Downsampled: ${one.samples} of ${one.all_samples} probe samples (columns, in the order of their labels) and ` +
      `${one.units} of ${one.all_units} units (rows, in an order that puts those that respond alike in the last dense ` +
      `network beside each other), one seed, and the ${steps.length} steps at which snapshots were taken. Values are ` +
      `in 255 levels from −${number(one.limit)} to ${number(one.limit)}, so within ${number(one.limit / 254, 2)}; ` +
      `beyond that are ${number(100 * one.clipped, 2)} % of them, drawn in the last colour. Both networks share ` +
      "samples, units and colours.";
  }

  // Drawing and listening.

  // Jobs wait for each other; `data-drawn` counts how often all was drawn that was asked for.
  let last = Promise.resolve();
  let waiting = 0;
  function queue(job) {
    waiting += 1;
    last = last.then(job).catch((error) => console.error(error)).then(() => {
      waiting -= 1;
      if (!waiting) document.body.dataset.drawn = Number(document.body.dataset.drawn || 0) + 1;
    });
  }

  async function embed(id, chart, renderer, datasets) {
    if (views[id]) views[id].finalize();
    const { config } = study.themes[theme()];
    const { view } = await vegaEmbed(at(id), { ...study.charts[chart], datasets },
      // Errors only: that a layer has no rows, as without a dense run at a rate, is no mistake.
      { config, renderer, actions: false, mode: "vega-lite", logLevel: 1 });
    views[id] = view;
    return view;
  }

  let embedded = "";
  async function draw() {
    fillAll();
    const wanted = `${theme()} ${experiment().metric}`;
    if (wanted !== embedded) {
      const view = await embed("curves", experiment().metric, "svg", dataOfCurves());
      view.addEventListener("click", (event, mark) => {
        const row = mark && mark.datum;
        if (!row || !row.strategy || row.round === undefined || row.strategy === DENSE) return;
        Object.assign(state, { strategy: row.strategy, round: String(row.round) });
        queue(draw);
      });
      at("matrices").hidden = false;
      await Promise.all(["dense", "pruned"].map((id) => embed(id, "matrix", "canvas", { cells: [] })));
      embedded = wanted;
      fillSteps();
    }
    await drawCurves();
    await drawMatrices();
  }

  choices.forEach((id) => at(id).addEventListener("change", () => {
    if (state[id] === at(id).value) return; // browsers may tell of a change once more when the focus leaves
    state[id] = at(id).value;
    queue(draw);
  }));
  at("step").addEventListener("input", () => {
    state.step = stepsOf(entry())[Number(at("step").value)];
    queue(drawMatrices);
  });
  at("theme").addEventListener("change", () => {
    if (at("theme").value) document.documentElement.dataset.theme = at("theme").value;
    else delete document.documentElement.dataset.theme;
    queue(draw);
  });
  system.addEventListener("change", () => queue(draw));
  window.explorer = { views, state };
  queue(draw);
})();
