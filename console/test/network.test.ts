import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  circleAt, distanceKm, frameOf, hubs, isOn, oneWayMs, parseHubs, placeOf, radiusKm, ring, travel,
} from '../src/geography';
import { linksOf, spotsOf } from '../src/pages/network_chart';
import { capacityBySite, forks, freeShare, memberOf, treeOf, type Branch } from '../src/network';
import type { MemberView, PoolView, Site } from '../src/views';

const member = (name: string, kind = 'domain', state = 'approved') =>
  ({ id: `member-${name}`, name, kind, state }) as MemberView;

const site = (name: string, more: Partial<Site> = {}): Site => ({
  id: `site-${name}`, name, city: '', region: '', latitude_micro: 0, longitude_micro: 0,
  pue_milli: 0, carbon_g_per_kwh: 0, is_draining: false,
  carbon_hours: { from: null, values: [] }, ...more,
});

const pool = (at: string, of: string, cards: number, free: number, state = 'production') =>
  ({
    pool: {
      site: `site-${at}`, member: `member-${of}`, state, nodes: 2, cpu_milli_per_node: 8000,
    },
    cards_total: cards,
    cards_free_milli: free,
    cpu_free_milli: 4000,
  }) as PoolView;

/** Each branch as "depth name kind sites". */
function lines(tree: readonly Branch[], depth = 0): string[] {
  return tree.flatMap(({ name, kind, sites, children }) => [
    `${'  '.repeat(depth)}${name} ${kind} ${sites}`,
    ...lines(children ?? [], depth + 1),
  ]);
}

describe('the tree of domains', () => {
  it('grows deeper levels out of dotted names', () => {
    const sites = ['here', 'hubei.wuhan.east', 'hubei.wuhan.west', 'hubei.xiangyang', 'hubeix.a'];
    const tree = treeOf(
      [member('hubeix'), member('hubei'), member('local', 'engine', '')],
      sites.map((name) => site(name)),
      [
        pool('here', 'local', 0, 0), pool('hubei.wuhan.east', 'hubei', 0, 0),
        pool('hubei.wuhan.west', 'hubei', 0, 0), pool('hubei.xiangyang', 'hubei', 8, 0),
        pool('hubeix.a', 'hubeix', 0, 0, 'closed'),
      ],
    );
    expect(lines(tree)).toEqual([
      'hubei domain 3',
      '  wuhan domain 2',
      '    east site 1',
      '    west site 1',
      '  xiangyang site 1',
      'hubeix domain 0',
      '  a site 0',
      'local engine 1',
      '  here site 1',
    ]);
    expect(forks(tree)).toEqual([
      'member hubei', 'domain hubei.wuhan', 'member hubeix', 'member local',
    ]);
  });

  it('tells a site from a domain of the same name', () => {
    const tree = treeOf([member('a')], [site('a.b'), site('a.b.b')], []);
    expect(lines(tree)).toEqual(['a domain 0', '  b domain 0', '    b site 0', '  b site 0']);
    const keys = tree[0]!.children!.map((child) => child.key);
    expect(new Set(keys).size).toBe(2);
  });

  it('takes a dotted member by its whole name', () => {
    const members = [member('cn.hubei'), member('cn.hunan')];
    expect(memberOf('cn.hunan.east', members)?.name).toBe('cn.hunan');
    expect(memberOf('cn.hubei', members)).toBeUndefined();
  });

  it('puts first who waits for an answer, and last who was refused', () => {
    const members = [member('a', 'domain', 'refused'), member('b'), member('c', 'domain', 'asked')];
    expect(treeOf(members, [], []).map((branch) => branch.name)).toEqual(['c', 'b', 'a']);
    expect(treeOf(members, [], []).every((branch) => !branch.children)).toBe(true);
  });

  it('adds capacity up on every level, without closed pools', () => {
    const pools = [
      pool('a.x', 'a', 16, 4000), pool('a.x', 'a', 4, 1000), pool('a.b.y', 'a', 10, 2500),
      pool('a.b.y', 'a', 99, 99_000, 'closed'),
    ];
    const [top] = treeOf([member('a')], [site('a.x'), site('a.b.y')], pools);
    expect(top?.capacity).toEqual({
      pools: 3, cards_total_milli: 30_000, cards_free_milli: 7500, cpu_total_milli: 48_000,
      cpu_free_milli: 12_000,
    });
    expect(freeShare(top!.capacity)).toBe(0.25);
    const cpus = capacityBySite([pool('z', 'a', 0, 0)]).get('site-z')!;
    expect(freeShare(cpus)).toBe(0.25);
    expect(capacityBySite([pool('z', 'a', 8, 0, 'closed')]).size).toBe(0);
  });
});

describe('places', () => {
  it('are the hubs of the program', () => {
    const rows = readFileSync('../data/hubs.csv', 'utf8').trim().split('\n');
    expect(hubs).toHaveLength(rows.length - 1);
    expect(hubs.every(({ name, latitude, longitude }) =>
      /^[\u4e00-\u9fff]+$/.test(name) && latitude > 18 && latitude < 54 && longitude > 73 &&
      longitude < 135)).toBe(true);
    expect(parseHubs('lat,city,lon\r\n30.5,武汉(代理点),114.3\r\n')).toEqual([
      { name: '武汉', latitude: 30.5, longitude: 114.3 },
    ]);
  });

  it('are the coordinates of a site, else those of its city', () => {
    expect(placeOf(site('a', { latitude_micro: 31_200_000, longitude_micro: 121_500_000 }))).toEqual(
      { latitude: 31.2, longitude: 121.5 },
    );
    expect(placeOf(site('a', { city: '贵阳' }))).toMatchObject({ latitude: 26.57 });
    expect(placeOf(site('a', { city: 'Atlantis' }))).toBeNull();
  });

  it('are as far apart as they are', () => {
    const beijing = { latitude: 39.9042, longitude: 116.4074 };
    const shanghai = { latitude: 31.2304, longitude: 121.4737 };
    expect(distanceKm(beijing, shanghai)).toBeCloseTo(1067, -1);
    expect(distanceKm(beijing, beijing)).toBe(0);
    const [longitude, latitude] = travel(beijing, 500, 135);
    expect(distanceKm(beijing, { latitude, longitude })).toBeCloseTo(500, 6);
  });
});

describe('points and lines of the map', () => {
  const at = (name: string, city: string) => site(name, { city });
  const here = member('local', 'engine', '');
  const far = { ...member('a'), connected: true };
  const gone = { ...member('b'), connected: false };
  const refused = member('c', 'domain', 'refused');
  const sites = [
    at('a.x.deep', '成都'), at('a.north', '贵阳'), at('b.north', '贵阳'), at('here', '芜湖'),
    at('c.old', '中卫'), at('nowhere', ''),
  ];
  const pools = [
    pool('here', 'local', 10, 500), pool('a.north', 'a', 10, 2000), pool('b.north', 'b', 10, 9000),
    pool('a.x.deep', 'a', 0, 0),
  ];
  const { spots, lost } = spotsOf(sites, pools, [here, far, gone, refused]);

  it('are one for each place, coloured by what can be reached there', () => {
    expect(spots.map((spot) => [spot.sites.map((each) => each.name).join(), spot.availability]))
      .toEqual([
        ['a.x.deep', 'some'], ['a.north,b.north', 'some'], ['here', 'little'], ['c.old', 'none'],
      ]);
    expect(spots[1]?.capacity.cards_total_milli).toBe(20_000);
    expect(lost.map((each) => each.name)).toEqual(['nowhere']);
  });

  it('lead from here to every member, and say the round trip once', () => {
    const links = linksOf(spots).map(({ member: of, to, isFirst }) => [of.name, to, isFirst]);
    const [deep, north] = spots.map((spot) => spot.place);
    expect(links).toEqual([['a', north, true], ['b', north, true], ['a', deep, false]]);
    expect(linksOf(spots.filter((spot) => !spot.isOwn))).toEqual([]);
  });
});

describe('circles of latency', () => {
  it('reach as far as light in fibre on a route half as long again', () => {
    expect([1, 5, 20].map((ms) => Math.round(radiusKm(ms)))).toEqual([136, 680, 2720]);
    expect(oneWayMs(radiusKm(7))).toBeCloseTo(7, 9);
    expect([0, 136, 137, 680, 681, 2720, 2721].map(circleAt)).toEqual([
      'city', 'city', 'region', 'region', 'national', 'national', 'beyond',
    ]);
  });

  it('are closed and everywhere as wide', () => {
    const wuhan = { latitude: 30.6, longitude: 114.3 };
    const points = ring(wuhan, 680, 36);
    expect(points).toHaveLength(37);
    expect(points[0]![0]).toBeCloseTo(points[36]![0], 9);
    for (const [longitude, latitude] of points) {
      expect(distanceKm(wuhan, { latitude, longitude })).toBeCloseTo(680, 6);
    }
  });
});

describe('the map', () => {
  // Degrees a kilometre, in the middle, must fill as much of the plot both ways.
  it.each([0.6, 1.4, 3])('is true to shape in its middle at %f', (shape) => {
    const { west, east, south, north } = frameOf(shape);
    const shrink = Math.cos((((south + north) / 2) * Math.PI) / 180);
    expect(((east - west) * shrink) / (north - south)).toBeCloseTo(shape, 9);
    expect(west).toBeLessThanOrEqual(73);
    expect(east).toBeGreaterThanOrEqual(135.5);
    expect(south).toBeLessThanOrEqual(17.5);
    expect(north).toBeGreaterThanOrEqual(54);
  });

  it('has every place on it', () => {
    const far = { latitude: -33.9, longitude: 151.2 };
    const frame = frameOf(1.4, [far]);
    expect(frame.south).toBeLessThan(-33.9);
    expect(frame.east).toBeGreaterThan(151.2);
    expect(isOn(frameOf(1.4), [116.4, 39.9])).toBe(true);
    expect(isOn(frameOf(1.4), [116.4, 54.5])).toBe(false);
  });
});
