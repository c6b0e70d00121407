import type { EChartsCoreOption } from 'echarts/core';
import { showMilli, showMs, showNumber } from '../format';
import {
  circles, distanceKm, frameOf, hubs, isOn, oneWayMs, placeOf, radiusKm, ring, travel,
  type Place, type Point,
} from '../geography';
import type { Words } from '../i18n';
import { capacityBySite, freeShare, memberOf, nothing, sum, type Capacity } from '../network';
import { availabilityColors, chartBlue, chartGrey, type Availability } from '../parts/colors';
import type { MemberView, PoolView, Site } from '../views';

/** All sites at one place: one point on the map. */
export interface Spot {
  place: Place;
  sites: Site[];
  capacity: Capacity;
  availability: Availability;
  /** The domain that they came through; none of this domain's own. */
  member: MemberView | undefined;
}

/** The sites that have a place, by place; and those without. */
export function spotsOf(
  sites: readonly Site[],
  pools: readonly PoolView[],
  members: readonly MemberView[],
): { spots: Spot[]; lost: Site[] } {
  const capacities = capacityBySite(pools);
  const spots = new Map<string, Spot>();
  const lost: Site[] = [];
  for (const site of sites) {
    const place = placeOf(site);
    if (!place) {
      lost.push(site);
      continue;
    }
    const member = memberOf(site.name, members);
    const key = `${place.latitude.toFixed(3)} ${place.longitude.toFixed(3)} ${member?.name ?? ''}`;
    const old = spots.get(key);
    const capacity = sum([old?.capacity ?? nothing, capacities.get(site.id) ?? nothing]);
    spots.set(key, {
      place,
      sites: [...(old?.sites ?? []), site],
      capacity,
      availability: availabilityOf(capacity, member),
      member,
    });
  }
  return { spots: [...spots.values()], lost };
}

/** What can be had there now; what cannot be reached says nothing. */
function availabilityOf(capacity: Capacity, member: MemberView | undefined): Availability {
  const share = freeShare(capacity);
  if (share === null || (member && !member.connected)) return 'none';
  return share >= 0.5 ? 'plenty' : share >= 0.1 ? 'some' : 'little';
}

/** A line from this domain to a place of a member. */
export interface Link {
  from: Place;
  to: Place;
  member: MemberView;
  /** Only the first line of a member says how long a round trip takes. */
  isFirst: boolean;
}

/** From this domain's own first place, if it has any, to those of its members. */
export function linksOf(spots: readonly Spot[]): Link[] {
  const from = homeOf(spots);
  if (!from) return [];
  const seen = new Set<string>();
  const depth = (spot: Spot) => Math.min(...spot.sites.map((site) => site.name.split('.').length));
  return [...spots]
    .sort((a, b) => depth(a) - depth(b))
    .flatMap(({ place, member }) => {
      if (!member) return [];
      const isFirst = !seen.has(member.name);
      seen.add(member.name);
      return [{ from, to: place, member, isFirst }];
    });
}

/** Where this domain itself is; null when it has no site of its own with a place. */
export function homeOf(spots: readonly Spot[]): Place | null {
  return spots.find((spot) => !spot.member)?.place ?? null;
}

export function cityName(words: Words, city: string): string {
  return words.name('city', city);
}

/** What a site is called beside its point: "north", or "north +2" of three. */
export function labelOf({ sites }: Spot): string {
  const more = sites.length - 1;
  return `${sites[0]?.name ?? ''}${more > 0 ? ` +${more}` : ''}`;
}

const edge = { left: 46, right: 10, top: 10, bottom: 26 };

/** The map, `width` by `height` pixels, with circles around `centre`. */
export function mapOption(
  map: { spots: readonly Spot[]; links: readonly Link[]; centre: Place },
  size: { width: number; height: number },
  words: Words,
): EChartsCoreOption {
  const { spots, links, centre } = map;
  const inner = {
    width: size.width - edge.left - edge.right,
    height: size.height - edge.top - edge.bottom,
  };
  const frame = frameOf(inner.width / inner.height, spots.map((spot) => spot.place));
  return {
    grid: { ...edge, containLabel: false, show: true, borderWidth: 1, borderColor: lineColor },
    tooltip: { trigger: 'item', confine: true },
    xAxis: axis(frame.west, frame.east, (degrees) => `${degrees}°E`),
    yAxis: axis(frame.south, frame.north, (degrees) => `${degrees}°N`),
    series: [
      circleSeries(centre),
      circleNames(centre, (point) => isOn(frame, point), words),
      hubSeries(spots, words),
      linkSeries(links, words),
      siteSeries(spots, words),
    ],
  };
}

const lineColor = 'rgb(128 140 165 / 28%)';
const quietColor = '#7c879b';

function axis(min: number, max: number, say: (degrees: number) => string) {
  return {
    type: 'value',
    min,
    max,
    interval: 10,
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: {
      showMinLabel: false,
      showMaxLabel: false,
      hideOverlap: true,
      color: quietColor,
      formatter: say,
    },
    splitLine: { lineStyle: { color: lineColor, width: 1 } },
  };
}

const pointOf = ({ longitude, latitude }: Place): Point => [longitude, latitude];

function circleSeries(centre: Place) {
  return {
    type: 'lines',
    coordinateSystem: 'cartesian2d',
    polyline: true,
    silent: true,
    z: 2,
    lineStyle: { color: chartBlue, width: 1.5, type: [5, 4], opacity: 0.8 },
    data: circles.map(({ ms }) => ({ coords: ring(centre, radiusKm(ms)) })),
  };
}

// A circle's name stands where the circle is on the map: below the centre, else beside or above.
function circleNames(centre: Place, isShown: (point: Point) => boolean, words: Words) {
  const bearings = [180, 160, 200, 140, 220, 90, 270, 0, 45, 315];
  return {
    type: 'scatter',
    silent: true,
    symbolSize: 0.01,
    z: 3,
    data: circles.flatMap(({ name, ms }) => {
      const points = bearings.map((bearing) => travel(centre, radiusKm(ms), bearing));
      const value = points.find(isShown);
      return value ? [{ name: `${words.name('circle', name)} ${ms} ms`, value }] : [];
    }),
    label: { ...labelStyle(chartBlue), show: true, position: 'inside', formatter: '{b}' },
  };
}

function labelStyle(color: string) {
  return { color, fontSize: 11, textBorderWidth: 0 };
}

function hubSeries(spots: readonly Spot[], words: Words) {
  const isFree = (hub: Place) => spots.every((spot) => distanceKm(spot.place, hub) > 40);
  return {
    type: 'scatter',
    silent: true,
    symbol: 'diamond',
    symbolSize: 6,
    z: 3,
    itemStyle: { color: chartGrey },
    label: { ...labelStyle(quietColor), show: true, position: 'bottom', formatter: '{b}' },
    labelLayout: { hideOverlap: true },
    data: hubs.filter(isFree).map((hub) => ({ name: cityName(words, hub.name), value: pointOf(hub) })),
  };
}

function linkSeries(links: readonly Link[], words: Words) {
  return {
    type: 'lines',
    coordinateSystem: 'cartesian2d',
    z: 4,
    lineStyle: { width: 1.6, curveness: 0.12 },
    tooltip: { formatter: ({ data }: { data: { link: Link } }) => linkTip(data.link, words) },
    data: links
      .filter((link) => distanceKm(link.from, link.to) > 1)
      .map((link) => {
        const isOnLine = link.member.connected;
        const color = isOnLine ? availabilityColors.plenty : availabilityColors.none;
        const isTold = link.isFirst && isOnLine && link.member.rtt_p50 > 0;
        return {
          coords: [pointOf(link.from), pointOf(link.to)],
          link,
          lineStyle: { color, type: isOnLine ? 'solid' : 'dashed' },
          label: {
            show: isTold,
            position: 'middle',
            color,
            fontSize: 12,
            fontWeight: 600,
            formatter: `${showMs(link.member.rtt_p50 * 1000)} ms`,
          },
        };
      }),
  };
}

function siteSeries(spots: readonly Spot[], words: Words) {
  const weightOf = ({ capacity }: Spot) =>
    hasCards(spots) ? capacity.cards_total_milli : capacity.cpu_total_milli;
  const most = Math.max(1, ...spots.map(weightOf));
  return {
    type: 'scatter',
    z: 5,
    label: { show: true, position: 'right', formatter: '{b}', fontSize: 12, fontWeight: 600 },
    labelLayout: { moveOverlap: 'shiftY' },
    tooltip: { formatter: ({ data }: { data: { spot: Spot } }) => siteTip(data.spot, words) },
    data: spots.map((spot) => {
      const color = availabilityColors[spot.availability];
      return {
        name: labelOf(spot),
        value: pointOf(spot.place),
        spot,
        // The area of a point goes with what is there.
        symbolSize: 10 + 22 * Math.sqrt(weightOf(spot) / most),
        itemStyle: { color, opacity: 0.9, borderColor: '#fff', borderWidth: 1.5 },
        label: { color },
      };
    }),
  };
}

/** Points are as large as their cards if anybody has cards, else as their cores. */
export function hasCards(spots: readonly Spot[]): boolean {
  return spots.some((spot) => spot.capacity.cards_total_milli > 0);
}

// Text only: names are not ours.
function tip(lines: readonly string[]): HTMLElement {
  const box = document.createElement('div');
  for (const line of lines) {
    const row = document.createElement('div');
    row.textContent = line;
    box.append(row);
  }
  return box;
}

function siteTip(spot: Spot, words: Words): HTMLElement {
  const { capacity, sites, availability } = spot;
  const free = (word: 'network.cards' | 'network.cores', part: number, whole: number) =>
    whole > 0 ? [`${words.t(word)} ${showMilli(part)} / ${showMilli(whole)}`] : [];
  return tip([
    ...sites.slice(0, 8).map(({ name, city }) => [name, city && cityName(words, city)]
      .filter(Boolean).join(' · ')),
    ...(sites.length > 8 ? [`+${sites.length - 8}`] : []),
    ...free('network.cards', capacity.cards_free_milli, capacity.cards_total_milli),
    ...free('network.cores', capacity.cpu_free_milli, capacity.cpu_total_milli),
    words.name('availability', availability),
  ]);
}

function linkTip({ from, to, member }: Link, words: Words): HTMLElement {
  const km = distanceKm(from, to);
  return tip([
    member.name,
    member.rtt_p50 > 0
      ? words.t('map.measured', {
          p50: showMs(member.rtt_p50 * 1000),
          p99: showMs(member.rtt_p99 * 1000),
        })
      : words.t('map.unmeasured'),
    words.t('map.estimated', { km: showNumber(km, 0), ms: showMs(2 * oneWayMs(km)) }),
  ]);
}
