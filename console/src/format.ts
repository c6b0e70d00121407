import type { Language } from './i18n';
import { isSet, type Moment, type Span } from './views';

/** Thousandths as a count of cards or cores: 1500 -> "1.5". */
export function showMilli(milli: number): string {
  return showNumber(milli / 1000, 3);
}

export function showNumber(value: number, placesMax = 2): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: placesMax });
}

/** Milliseconds, three figures or so, without the unit. */
export function showMs(ms: number): string {
  return showNumber(ms, ms < 10 ? 2 : ms < 100 ? 1 : 0);
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Binary units, three figures or so: "1.5 GiB". */
export function showBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit + 1 < byteUnits.length; ++unit) value /= 1024;
  return `${showNumber(value, value < 10 ? 2 : value < 100 ? 1 : 0)} ${byteUnits[unit]}`;
}

/** The two largest units of a length of time: "2 h 13 min", 「2 小时 13 分」. */
export function showSpan(seconds: Span, language: Language): string {
  if (seconds < 60) {
    return `${showNumber(Math.max(0, seconds), seconds < 10 ? 1 : 0)} ${units[language][3]}`;
  }
  const parts = [
    Math.floor(seconds / 86400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
    Math.floor(seconds) % 60,
  ];
  const first = parts.findIndex((part) => part > 0);
  return parts
    .slice(first, first + 2)
    .map((part, i) => (i > 0 && part === 0 ? '' : `${part} ${units[language][first + i]}`))
    .filter(Boolean)
    .join(' ');
}

const units: Record<Language, readonly string[]> = {
  en: ['d', 'h', 'min', 's'],
  zh: ['天', '小时', '分', '秒'],
};

/** Local time to the second, sortable: "2026-03-01 09:30:05"; "—" for never. */
export function showMoment(moment: Moment): string {
  if (!isSet(moment)) return '—';
  const at = new Date(moment);
  if (Number.isNaN(at.getTime())) return moment;
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** How long ago, in words: "3 minutes ago"; "" for never. */
export function showAge(moment: Moment, nowMs: number, language: Language): string {
  if (!isSet(moment)) return '';
  const seconds = Math.round((new Date(moment).getTime() - nowMs) / 1000);
  const words = new Intl.RelativeTimeFormat(language === 'zh' ? 'zh-CN' : 'en', {
    numeric: 'auto',
  });
  const size = Math.abs(seconds);
  // Clocks differ a little: what has happened is never shown as still to come.
  if (size < 60) return words.format(Math.min(0, seconds), 'second');
  if (size < 3600) return words.format(Math.trunc(seconds / 60), 'minute');
  if (size < 86400) return words.format(Math.trunc(seconds / 3600), 'hour');
  return words.format(Math.trunc(seconds / 86400), 'day');
}

/** Seconds between two moments; the second may be unset and then `nowMs` counts. */
export function spanBetween(from: Moment, to: Moment, nowMs: number): Span {
  if (!isSet(from)) return 0;
  const end = isSet(to) ? new Date(to).getTime() : nowMs;
  return Math.max(0, (end - new Date(from).getTime()) / 1000);
}
