import type { EChartsCoreOption } from 'echarts/core';
import { showMilli, showMs, showNumber } from '../format';
import {
  circles, distanceKm, frameOf, hubs, isOn, oneWayMs, placeOf, radiusKm, ring, travel,
  type Frame, type Place, type Point,
} from '../geography';
import type { Words } from '../i18n';
import { capacityBySite, freeShare, memberOf, nothing, sum, type Capacity } from '../network';
import { availabilityColors, chartBlue, type Availability } from '../parts/colors';
import type { MemberView, PoolView, Site } from '../views';

/** What the map says of a member. */
export type Neighbour = Pick<MemberView, 'name' | 'state' | 'connected' | 'rtt_p50' | 'rtt_p99'>;

/** All sites at one place: one point on the map. */
export interface Spot {
  place: Place;
  sites: Site[];
  capacity: Capacity;
  availability: Availability;
  /** The domains that sites here came through. */
  members: Neighbour[];
  /** A site of this domain's own is here. */
  isOwn: boolean;
}

/** The sites that have a place, by place; and those without. */
export function spotsOf(
  sites: readonly Site[],
  pools: readonly PoolView[],
  members: readonly MemberView[],
): { spots: Spot[]; lost: Site[] } {
  const groups = new Map<string, { place: Place; sites: Site[] }>();
  const lost: Site[] = [];
  for (const site of sites) {
    const place = placeOf(site);
    const key = place && `${place.latitude.toFixed(3)} ${place.longitude.toFixed(3)}`;
    if (!place || !key) lost.push(site);
    else groups.set(key, { place, sites: [...(groups.get(key)?.sites ?? []), site] });
  }
  const capacities = capacityBySite(pools);
  // What can be had gives a place its name.
  const isOpen = (site: Site) => capacities.has(site.id);
  const spots = [...groups.values()].map((group) => {
    group.sites.sort((a, b) => Number(isOpen(b)) - Number(isOpen(a)));
    return spotOf(group, capacities, members);
  });
  return { spots, lost };
}

function spotOf(
  group: { place: Place; sites: Site[] },
  capacities: ReadonlyMap<string, Capacity>,
  members: readonly MemberView[],
): Spot {
  const rows = group.sites.map((site) => ({
    member: memberOf(site.name, members),
    capacity: capacities.get(site.id) ?? nothing,
  }));
  const reached = rows.filter(({ member }) => !member || member.connected);
  return {
    ...group,
    capacity: sum(rows.map((row) => row.capacity)),
    availability: availabilityOf(sum(reached.map((row) => row.capacity))),
    members: [...new Set(rows.flatMap(({ member }) => member ?? []))].map(neighbourOf),
    isOwn: rows.some(({ member }) => !member),
  };
}

const neighbourOf = ({ name, state, connected, rtt_p50, rtt_p99 }: MemberView): Neighbour => ({
  name, state, connected, rtt_p50, rtt_p99,
});

function availabilityOf(capacity: Capacity): Availability {
  const share = freeShare(capacity);
  if (share === null) return 'none';
  return share >= 0.5 ? 'plenty' : share >= 0.1 ? 'some' : 'little';
}

/** A line from this domain to a place of a member. */
export interface Link {
  from: Place;
  to: Place;
  member: Neighbour;
  /** Only the first line of a member says how long a round trip takes. */
  isFirst: boolean;
}

/** From this domain's own first place, if it has any, to those of its members; nearest in the tree
 *  first. */
export function linksOf(spots: readonly Spot[]): Link[] {
  const from = homeOf(spots);
  if (!from) return [];
  const seen = new Set<string>();
  return [...spots]
    .sort((a, b) => depthOf(a) - depthOf(b))
    .flatMap(({ place, members }) =>
      members.flatMap((member) => {
        if (member.state === 'refused') return [];
        const isFirst = !seen.has(member.name);
        seen.add(member.name);
        return [{ from, to: place, member, isFirst }];
      }),
    );
}

const depthOf = (spot: Spot) =>
  Math.min(...spot.sites.map((site) => site.name.split('.').length));

/** Where this domain itself is; null when it has no site of its own with a place. */
export function homeOf(spots: readonly Spot[]): Place | null {
  return spots.find((spot) => spot.isOwn)?.place ?? null;
}

export function cityName(words: Words, city: string): string {
  return words.name('city', city);
}

/** What a site is called beside its point: "north", or "north +2" of three. */
export function labelOf({ sites }: Spot): string {
  const more = sites.length - 1;
  return `${sites[0]?.name ?? ''}${more > 0 ? ` +${more}` : ''}`;
}

export interface Looks {
  width: number;
  height: number;
  isDark: boolean;
}

/** On a map narrower than this there is no room for degrees beside it. */
const narrowMax = 480;

/** The map, `width` by `height` pixels, with circles around `centre`. */
export function mapOption(
  map: { spots: readonly Spot[]; links: readonly Link[]; centre: Place },
  looks: Looks,
  words: Words,
): EChartsCoreOption {
  const { spots, links, centre } = map;
  const isNarrow = looks.width < narrowMax;
  const edge = isNarrow
    ? { left: 2, right: 2, top: 2, bottom: 2 }
    : { left: 44, right: 8, top: 8, bottom: 26 };
  const shape =
    (looks.width - edge.left - edge.right) / (looks.height - edge.top - edge.bottom);
  const frame = frameOf(shape, spots.map((spot) => spot.place));
  return {
    animation: false, // It is drawn anew whenever something changes.
    grid: { ...edge, containLabel: false, show: true, borderWidth: 1, borderColor: lineColor },
    tooltip: { trigger: 'item', confine: true },
    xAxis: axis(frame.west, frame.east, 'E', !isNarrow),
    yAxis: axis(frame.south, frame.north, 'N', !isNarrow),
    series: [
      circleSeries(centre, looks),
      circleNames(centre, (point) => isOn(frame, point), words, looks),
      hubSeries(spots, words, looks),
      linkSeries(links, words, looks),
      siteSeries(spots, frame, words, looks),
    ],
  };
}

const lineColor = 'rgb(128 140 165 / 28%)';
const quietColor = '#7c879b';
const graticule = 10;

function axis(min: number, max: number, towards: string, isSaid: boolean) {
  const first = Math.ceil(min / graticule);
  const count = Math.floor(max / graticule) - first + 1;
  const customValues = Array.from({ length: count }, (_, i) => (first + i) * graticule);
  return {
    type: 'value',
    min,
    max,
    axisLine: { show: false },
    axisTick: { show: false, customValues },
    axisLabel: {
      show: isSaid,
      customValues,
      hideOverlap: true,
      color: quietColor,
      formatter: (degrees: number) => `${degrees}°${towards}`,
    },
    splitLine: { lineStyle: { color: lineColor, width: 1 } },
  };
}

// A label can be read on any line; a smaller one gives way to a larger one.
function labelled(color: string, looks: Looks) {
  return {
    label: {
      show: true,
      color,
      fontSize: looks.width < narrowMax ? 10 : 12,
      formatter: '{b}',
      backgroundColor: looks.isDark ? 'rgba(19, 25, 38, 0.75)' : 'rgba(255, 255, 255, 0.75)',
      borderRadius: 3,
      padding: [1, 3],
    },
    labelLayout: { hideOverlap: true },
  };
}

const pointOf = ({ longitude, latitude }: Place): Point => [longitude, latitude];

/** Of a circle, and of its name. */
const circleColor = (looks: Looks) => (looks.isDark ? '#6b9bf5' : chartBlue);
const nameColor = (looks: Looks) => (looks.isDark ? '#e3e7ef' : '#1a2233');

function circleSeries(centre: Place, looks: Looks) {
  return {
    type: 'lines',
    coordinateSystem: 'cartesian2d',
    polyline: true,
    silent: true,
    z: 2,
    lineStyle: { color: circleColor(looks), width: 1.5, type: [5, 4], opacity: 0.8 },
    data: circles.map(({ ms }) => ({ coords: ring(centre, radiusKm(ms)) })),
  };
}

// A circle's name stands where the circle is on the map: above the centre, else below or beside.
function circleNames(
  centre: Place,
  isShown: (point: Point) => boolean,
  words: Words,
  looks: Looks,
) {
  const bearings = [0, 330, 30, 180, 210, 150, 270, 90];
  const { label, labelLayout } = labelled(circleColor(looks), looks);
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
    label: { ...label, position: 'top', distance: 2 },
    labelLayout,
  };
}

// A city close to the east, about as far north, leaves no room for a name below.
const hasEastern = (hub: Place) =>
  hubs.some(
    ({ latitude, longitude }) =>
      Math.abs(latitude - hub.latitude) < 1.5 &&
      longitude > hub.longitude && longitude < hub.longitude + 4,
  );

function hubSeries(spots: readonly Spot[], words: Words, looks: Looks) {
  const isFree = (hub: Place) => spots.every((spot) => distanceKm(spot.place, hub) > 40);
  const { label, labelLayout } = labelled(quietColor, looks);
  return {
    type: 'scatter',
    silent: true,
    symbol: 'diamond',
    symbolSize: 7,
    z: 3,
    itemStyle: { color: quietColor, opacity: 0.8 },
    labelLayout,
    data: hubs.filter(isFree).map((hub) => ({
      name: cityName(words, hub.name),
      value: pointOf(hub),
      label: { ...label, position: hasEastern(hub) ? 'left' : 'bottom', distance: 3 },
    })),
  };
}

function linkSeries(links: readonly Link[], words: Words, looks: Looks) {
  return {
    type: 'lines',
    coordinateSystem: 'cartesian2d',
    z: 4,
    lineStyle: { width: 1.6, curveness: 0.14, opacity: 0.75 },
    tooltip: { formatter: ({ data }: { data: { link: Link } }) => linkTip(data.link, words) },
    data: links
      .filter((link) => distanceKm(link.from, link.to) > 1)
      .map((link) => {
        const { connected, rtt_p50 } = link.member;
        const color = connected ? availabilityColors.plenty : availabilityColors.none;
        return {
          coords: [pointOf(link.from), pointOf(link.to)],
          link,
          lineStyle: { color, type: connected ? 'solid' : 'dashed' },
          label: {
            ...labelled(nameColor(looks), looks).label,
            show: looks.width >= narrowMax && link.isFirst && connected && rtt_p50 > 0,
            position: 'middle',
            fontWeight: 600,
            formatter: `${showMs(rtt_p50 * 1000)} ms`,
          },
        };
      }),
  };
}

function siteSeries(spots: readonly Spot[], frame: Frame, words: Words, looks: Looks) {
  // A name stands off the lines, which come from home, unless the edge is too near.
  const home = homeOf(spots);
  const middle = frame.west + 0.4 * (frame.east - frame.west);
  const sideOf = ({ longitude }: Place) =>
    home && longitude < home.longitude && longitude > middle ? 'left' : 'right';
  const weightOf = ({ capacity }: Spot) =>
    hasCards(spots) ? capacity.cards_total_milli : capacity.cpu_total_milli;
  const most = Math.max(1, ...spots.map(weightOf));
  const largest = looks.width < narrowMax ? 14 : 24;
  return {
    type: 'scatter',
    z: 5,
    tooltip: { formatter: ({ data }: { data: { spot: Spot } }) => siteTip(data.spot, words) },
    labelLayout: { hideOverlap: true, moveOverlap: 'shiftY' },
    data: spots.map((spot) => {
      const color = availabilityColors[spot.availability];
      return {
        name: looks.width < narrowMax ? labelOf(spot).split('.')[0] : labelOf(spot),
        value: pointOf(spot.place),
        spot,
        // The area of a point goes with what is there.
        symbolSize: 8 + largest * Math.sqrt(weightOf(spot) / most),
        itemStyle: { color, opacity: 0.9, borderColor: '#fff', borderWidth: 1.5 },
        label: { ...labelled(nameColor(looks), looks).label, position: sideOf(spot.place), fontWeight: 600 },
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
