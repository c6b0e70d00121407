import { Select } from 'antd';
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { showMilli, showMs, showNumber } from '../format';
import {
  circleAt, distanceKm, fibreKmPerMs, hubs, oneWayMs, radiusKm, circles, routeFactor, type Place,
} from '../geography';
import { useWords } from '../i18n';
import { Chart } from '../parts/chart';
import { availabilities, availabilityColors } from '../parts/colors';
import { Panel } from '../parts/panel';
import { Rows } from '../parts/rows';
import { useDark } from '../parts/taste';
import { replaceQuery, useRoute } from '../route';
import type { Network } from './network';
import {
  cityName, hasCards, homeOf, labelOf, linksOf, mapOption, spotsOf, type Spot,
} from './network_chart';

/** Where the sites are, and how far a message gets from one of them in so many milliseconds. */
export function NetworkMap({ of: network }: { of: Network }) {
  const words = useWords();
  const { t } = words;
  const { list, domain, pools } = network;
  const asked = useRoute().query.get('around') ?? '';
  const { spots, lost } = useSame(
    useMemo(
      () => spotsOf(domain.sites, pools.pools, list.members),
      [domain, pools, list],
    ),
  );
  const links = useMemo(() => linksOf(spots), [spots]);
  const choices = useMemo(() => centresOf(spots), [spots]);
  const chosen = choices.find((choice) => choice.value === asked) ?? choices[0]!;
  const centre = chosen.place;
  const groups = (['site', 'city'] as const).map((kind) => ({
    label: t(kind === 'site' ? 'overview.sites' : 'map.hubs'),
    options: choices
      .filter((choice) => choice.kind === kind)
      .map(({ value, name }) => ({
        value,
        label: kind === 'site' ? name : cityName(words, name),
      })),
  }));
  return (
    <Panel
      title={t('map.title')}
      extra={
        <label className="map-centre">
          <span className="quiet">{t('map.around')}</span>
          <Select
            showSearch={{ optionFilterProp: 'label' }}
            value={chosen.value}
            aria-label={t('map.around')}
            onChange={(value) => replaceQuery({ around: value })}
            options={groups.filter((group) => group.options.length > 0)}
            popupMatchSelectWidth={false}
          />
        </label>
      }
    >
      <Sized>
        {(size) => <Drawn spots={spots} links={links} centre={centre} size={size} />}
      </Sized>
      <MapKey spots={spots} />
      {spots.length === 0 && <p className="quiet">{t('map.none')}</p>}
      {lost.length > 0 && (
        <p className="quiet">
          {t('map.lost', {
            names: lost.slice(0, 12).map((site) => site.name).join(', '),
            count: lost.length,
          })}
        </p>
      )}
      {spots.length > 0 && <Distances spots={spots} centre={centre} name={chosen.name} />}
    </Panel>
  );
}

// The value before, as long as the new one reads the same: a map is drawn anew only for news.
function useSame<T>(value: T): T {
  const kept = useRef(value);
  if (JSON.stringify(kept.current) !== JSON.stringify(value)) kept.current = value;
  return kept.current;
}

interface Centre {
  kind: 'site' | 'city';
  value: string;
  name: string;
  place: Place;
}

// This domain's own place comes first: it is the one shown unless another is asked for.
function centresOf(spots: readonly Spot[]): Centre[] {
  const home = homeOf(spots);
  const sites = spots.map((spot): Centre => {
    const name = labelOf(spot);
    return { kind: 'site', value: `site:${spot.sites[0]?.name}`, name, place: spot.place };
  });
  const cities = hubs.map((hub): Centre => {
    return { kind: 'city', value: `city:${hub.name}`, name: hub.name, place: hub };
  });
  return [...sites.sort((a, b) => Number(b.place === home) - Number(a.place === home)), ...cities];
}

/** How far down a map as wide as this reaches. */
const heightOf = (width: number) => Math.round(Math.min(660, Math.max(200, width * 0.72)));

function Sized(props: { children: (size: { width: number; height: number }) => ReactNode }) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.round(entry!.contentRect.width)));
    watch.observe(place.current!);
    return () => watch.disconnect();
  }, []);
  return (
    <div ref={place}>{width > 0 && props.children({ width, height: heightOf(width) })}</div>
  );
}

function Drawn(props: {
  spots: readonly Spot[];
  links: ReturnType<typeof linksOf>;
  centre: Place;
  size: { width: number; height: number };
}) {
  const words = useWords();
  const { spots, links, centre, size } = props;
  const { width, height } = size;
  const isDark = useDark();
  const option = useMemo(
    () => mapOption({ spots, links, centre }, { width, height, isDark }, words),
    [spots, links, centre, width, height, isDark, words],
  );
  return <Chart option={option} label={words.t('map.title')} height={height} />;
}

function MapKey({ spots }: { spots: readonly Spot[] }) {
  const { t, name } = useWords();
  return (
    <div className="map-key">
      <ul>
        {availabilities.map((each) => (
          <li key={each}>
            <i className="dot" style={{ background: availabilityColors[each] }} />
            {name('availability', each)}
          </li>
        ))}
      </ul>
      <p className="quiet">
        {t(hasCards(spots) ? 'map.by_cards' : 'map.by_cores')} {t('map.link_note')}
      </p>
      <p className="quiet">
        {t('map.circle_note', {
          speed: fibreKmPerMs,
          factor: routeFactor,
          radii: circles
            .map(({ name: circle, ms }) =>
              `${name('circle', circle)} ${ms} ms ≈ ${showNumber(radiusKm(ms), 0)} km`)
            .join(' · '),
        })}
      </p>
    </div>
  );
}

/** The same as the map, in figures: how far each site is from the centre. */
function Distances(props: { spots: readonly Spot[]; centre: Place; name: string }) {
  const words = useWords();
  const { t, name } = words;
  const rows = props.spots
    .map((spot) => ({ spot, km: distanceKm(props.centre, spot.place) }))
    .sort((a, b) => a.km - b.km);
  return (
    <Rows<(typeof rows)[number]>
      label={t('map.distances', { name: cityName(words, props.name) })}
      size="small"
      rowKey={({ spot }) => labelOf(spot)}
      dataSource={rows}
      columns={[
        { title: t('noun.site'), render: (_, { spot }) => labelOf(spot) },
        {
          title: t('field.city'),
          render: (_, { spot }) => cityName(words, spot.sites[0]?.city || '—'),
        },
        {
          title: t('map.distance'),
          align: 'right',
          render: (_, { km }) => <span className="number">{showNumber(km, 0)} km</span>,
        },
        {
          title: t('map.one_way'),
          align: 'right',
          render: (_, { km }) => <span className="number">{showMs(oneWayMs(km))} ms</span>,
        },
        { title: t('map.circle'), render: (_, { km }) => name('circle', circleAt(km)) },
        {
          title: t('map.available'),
          render: (_, { spot }) => (
            <span className="state">
              <i className="dot" style={{ background: availabilityColors[spot.availability] }} />
              {name('availability', spot.availability)}
              <span className="quiet number">{freeText(spot)}</span>
            </span>
          ),
        },
      ]}
    />
  );
}

function freeText({ capacity }: Spot): string {
  const { cards_total_milli, cards_free_milli, cpu_total_milli, cpu_free_milli } = capacity;
  const [free, total] =
    cards_total_milli > 0
      ? [cards_free_milli, cards_total_milli]
      : [cpu_free_milli, cpu_total_milli];
  return total > 0 ? `${showMilli(free)} / ${showMilli(total)}` : '';
}
