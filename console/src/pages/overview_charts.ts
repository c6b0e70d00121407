import type { EChartsCoreOption } from 'echarts/core';
import { showMilli } from '../format';
import type { Words } from '../i18n';
import { chartLength, parseMoney, printMoney, showMoney } from '../money';
import { chartBlue, chartGrey, chartSand, chartTeal, stateColors } from '../parts/colors';
import {
  jobStates,
  type ChargeView,
  type JobView,
  type PoolView,
  type ProjectView,
} from '../views';

const sides = { left: 8, right: 24, top: 34, bottom: 6, containLabel: true };

/** Jobs by state, of the jobs given. */
export function statesOption(jobs: readonly JobView[], words: Words): EChartsCoreOption {
  const rows = jobStates
    .map((state) => ({
      name: words.name('state', state),
      value: jobs.filter((job) => job.state === state).length,
      itemStyle: { color: stateColors[state] },
    }))
    .filter((row) => row.value > 0);
  return {
    tooltip: { trigger: 'item' },
    legend: { orient: 'vertical', right: 8, top: 'middle', icon: 'circle' },
    series: [
      {
        type: 'pie',
        radius: ['52%', '80%'],
        center: ['34%', '50%'],
        label: { show: true, formatter: '{c}' },
        itemStyle: { borderRadius: 3 },
        padAngle: 1.5,
        data: rows,
      },
    ],
  };
}

interface ChipRow {
  chip: string;
  total: number;
  free: number;
}

/** Cards by chip model; chips are counted, their FLOPS never added up. */
export function chipRows(pools: readonly PoolView[]): ChipRow[] {
  const rows = new Map<string, ChipRow>();
  for (const { pool, cards_total, cards_free_milli } of pools) {
    if (!pool.chip || cards_total === 0) continue;
    const row = rows.get(pool.chip) ?? { chip: pool.chip, total: 0, free: 0 };
    row.total += cards_total * 1000;
    row.free += cards_free_milli;
    rows.set(pool.chip, row);
  }
  return [...rows.values()].sort((a, b) => b.total - a.total);
}

export function chipsOption(rows: readonly ChipRow[], words: Words): EChartsCoreOption {
  const shown = rows.slice(0, 8).reverse();
  const bar = (name: string, color: string, value: (row: ChipRow) => number) => ({
    name,
    type: 'bar',
    stack: 'cards',
    barMaxWidth: 22,
    itemStyle: { color },
    data: shown.map((row) => value(row) / 1000),
  });
  return {
    tooltip: {
      trigger: 'axis',
      axisPointer: { type: 'shadow' },
      valueFormatter: (value: number) => showMilli(value * 1000),
    },
    legend: { top: 0, right: 8, icon: 'circle' },
    grid: sides,
    xAxis: { type: 'value', minInterval: 1 },
    yAxis: { type: 'category', data: shown.map((row) => row.chip), axisTick: { show: false } },
    series: [
      bar(words.t('cards.used'), chartBlue, (row) => row.total - row.free),
      bar(words.t('cards.free'), chartGrey, (row) => row.free),
    ],
  };
}

/** Money of each project: what is available, held and charged. */
export function projectsOption(
  projects: readonly ProjectView[],
  words: Words,
): EChartsCoreOption {
  const shown = projects.slice(0, 8).reverse();
  const bar = (name: string, color: string, value: (row: ProjectView) => string) => ({
    name,
    type: 'bar',
    stack: 'money',
    barMaxWidth: 22,
    itemStyle: { color },
    data: shown.map((row) => ({ value: chartLength(value(row)), amount: value(row) })),
  });
  return {
    tooltip: { trigger: 'item', formatter: amountTip },
    legend: { top: 0, right: 8, icon: 'circle' },
    grid: sides,
    xAxis: { type: 'value', axisLabel: { hideOverlap: true } },
    yAxis: { type: 'category', data: shown.map((row) => row.name), axisTick: { show: false } },
    series: [
      bar(words.t('money.available'), chartTeal, (row) => row.available),
      bar(words.t('money.held'), chartSand, (row) => row.held),
      bar(words.t('money.charged'), chartBlue, (row) => row.charged),
    ],
  };
}

interface HourRow {
  hour: string;
  amount: string;
}

/** Exact sums of the charges whose period ended in each of the last 24 hours. */
export function hourRows(charges: readonly ChargeView[], nowMs: number): HourRow[] {
  const hourMs = 3_600_000;
  const last = Math.floor(nowMs / hourMs);
  const sums = new Map<number, bigint>();
  for (const charge of charges) {
    const hour = Math.floor(Date.parse(charge.charge_period_end ?? '') / hourMs);
    sums.set(hour, (sums.get(hour) ?? 0n) + (parseMoney(charge.billed_cost) ?? 0n));
  }
  return Array.from({ length: 24 }, (_, i) => {
    const hour = last - 23 + i;
    const at = new Date(hour * hourMs);
    const label = [at.getHours(), at.getMinutes()].map((n) => String(n).padStart(2, '0')).join(':');
    return { hour: label, amount: printMoney(sums.get(hour) ?? 0n) };
  });
}

export function hoursOption(rows: readonly HourRow[], words: Words): EChartsCoreOption {
  return {
    tooltip: { trigger: 'item', formatter: amountTip },
    grid: { ...sides, top: 16 },
    xAxis: { type: 'category', data: rows.map((row) => row.hour), axisTick: { show: false } },
    yAxis: { type: 'value', splitNumber: 3 },
    series: [
      {
        name: words.t('money.charged'),
        type: 'bar',
        barMaxWidth: 26,
        itemStyle: { color: chartBlue, borderRadius: [3, 3, 0, 0] },
        data: rows.map((row) => ({ value: chartLength(row.amount), amount: row.amount })),
      },
    ],
  };
}

// Says the exact amount, not the rounded length of the bar. Text only: names are not ours.
function amountTip(point: { name: string; seriesName: string; data: { amount: string } }) {
  const tip = document.createElement('div');
  tip.textContent = `${point.name} · ${point.seriesName} ${showMoney(point.data.amount)}`;
  return tip;
}
