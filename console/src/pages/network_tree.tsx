import {
  ApartmentOutlined,
  ArrowUpOutlined,
  ClusterOutlined,
  EnvironmentOutlined,
  HddOutlined,
} from '@ant-design/icons';
import { Button } from 'antd';
import type { ColumnsType } from 'antd/es/table';
import { useMemo, useState, type ReactNode } from 'react';
import {
  showAge,
  showMilli,
  showMoment,
  showMs,
  showNumber,
  showSpan,
  spanBetween,
} from '../format';
import { useWords, type Words } from '../i18n';
import { useNow } from '../load';
import { forks, nothing, treeOf, type Branch, type Capacity } from '../network';
import type { Answer } from '../parts/answer_join';
import { HealthTag } from '../parts/marks';
import { Rows } from '../parts/rows';
import {
  isSet,
  type DomainView,
  type MemberView,
  type Moment,
  type ParentView,
  type Site,
} from '../views';
import type { Network } from './network';

/** A row: a domain above, this one, or a branch below it. */
interface Row {
  key: string;
  name: string;
  kind: 'parent' | 'self' | Branch['kind'];
  link?: MemberView | ParentView;
  member?: MemberView;
  site?: Site;
  capacity?: Capacity;
  sites?: number;
  children?: Row[];
}

/** A tree so large is shown with its members alone, until somebody opens them. */
const openMax = 60;

/** Domains above, this one, its members, and what came through them. */
export function NetworkTree(props: {
  of: Network;
  answer?: ((answer: Answer) => void) | undefined;
}) {
  const { t } = useWords();
  const { of: network, answer } = props;
  const { list, domain, pools } = network;
  const tree = useMemo(
    () => treeOf(list.members, domain.sites, pools.pools),
    [list, domain, pools],
  );
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const isLarge = domain.sites.length + list.members.length > openMax;
  const keys = [self, ...forks(tree)];
  const isOpen = (key: string) => turned.has(key) === (isLarge && key !== self);
  const turn = (key: string) => {
    const next = new Set(turned);
    if (!next.delete(key)) next.add(key);
    setTurned(next);
  };
  const answers = answer && list.members.some((member) => member.state !== '') ? answer : null;
  return (
    <Rows<Row>
      label={t('network.tree')}
      rowKey="key"
      className="network"
      dataSource={[...list.parents.map(rowOfParent), rowOfSelf(domain, tree)]}
      expandable={{
        expandedRowKeys: keys.filter(isOpen),
        onExpand: (_, row) => turn(row.key),
        indentSize: 18,
      }}
      columns={columnsOf(t, answers)}
      rowClassName={(row: Row) => `network-${row.kind}`}
    />
  );
}

// A narrow screen has the first column alone; the rest then stands below the name.
function columnsOf(t: Words['t'], answers: ((answer: Answer) => void) | null) {
  const columns: ColumnsType<Row> = [
    { title: t('network.name'), render: (_, row) => <NameOf row={row} answer={answers} /> },
    {
      title: t('field.state'),
      responsive: ['md'],
      render: (_, row) => row.link && <StandingOf row={row} />,
    },
    {
      title: t('network.heard'),
      responsive: ['md'],
      render: (_, row) => row.link && !isHere(row) && <Age at={row.link.heard} />,
    },
    {
      title: (
        <div className="two-lines">
          <span>{t('network.rtt')}</span>
          <span className="quiet">p50 / p99</span>
        </div>
      ),
      responsive: ['md'],
      align: 'right',
      render: (_, row) => row.link && !isHere(row) && <RoundTrip of={row.link} />,
    },
    {
      title: t('network.pools'),
      responsive: ['md'],
      align: 'right',
      render: (_, row) => row.capacity && showNumber(row.capacity.pools),
    },
    {
      title: t('overview.sites'),
      responsive: ['md'],
      align: 'right',
      render: (_, row) => row.kind !== 'site' && row.sites !== undefined && showNumber(row.sites),
    },
    {
      title: t('network.free'),
      responsive: ['md'],
      render: (_, { capacity }) => capacity && <FreeOf capacity={capacity} />,
    },
  ];
  if (!answers) return columns;
  return columns.concat({
    title: t('field.action'),
    responsive: ['md'],
    render: (_, { member }) => member && <Answers member={member} answer={answers} />,
  });
}

const self = 'self';

function rowOfParent(parent: ParentView): Row {
  return { key: `parent ${parent.id}`, name: parent.name, kind: 'parent', link: parent };
}

function rowOfSelf(domain: DomainView, tree: readonly Branch[]): Row {
  const children = tree.map(rowOf);
  return {
    key: self,
    name: domain.name,
    kind: 'self',
    sites: tree.reduce((count, branch) => count + branch.sites, 0),
    capacity: {
      ...nothing,
      pools: tree.reduce((count, branch) => count + branch.capacity.pools, 0),
      cards_total_milli: domain.cards_total * 1000,
      cards_free_milli: domain.cards_free_milli,
      cpu_total_milli: domain.cpu_total_milli,
      cpu_free_milli: domain.cpu_free_milli,
    },
    ...(children.length > 0 && { children }),
  };
}

function rowOf(branch: Branch): Row {
  const { key, name, kind, member, site, capacity, sites, children } = branch;
  return {
    key,
    name,
    kind,
    capacity,
    sites,
    ...(member && { member, link: member }),
    ...(site && { site }),
    ...(children && { children: children.map(rowOf) }),
  };
}

/** An engine is part of the domain: there is nothing between them. */
const isHere = (row: Row) => row.kind === 'engine';

const icons: Record<Row['kind'], ReactNode> = {
  parent: <ArrowUpOutlined />,
  self: <ApartmentOutlined />,
  domain: <ClusterOutlined />,
  engine: <HddOutlined />,
  site: <EnvironmentOutlined />,
};

function NameOf(props: { row: Row; answer: ((answer: Answer) => void) | null }) {
  const { t, name } = useWords();
  const { row, answer } = props;
  const kind = name('network.kind', row.kind);
  const { city = '', region = '' } = row.site ?? {};
  const place = [city && name('city', city), region].filter(Boolean).join(' · ');
  const note = row.site ? place : row.member?.note;
  return (
    <div className="network-name">
      <i className="network-icon" aria-hidden>
        {icons[row.kind]}
      </i>
      <div className="two-lines">
        <span>
          <b>{row.name}</b> <span className="quiet">{kind}</span>
        </span>
        {note && <span className="quiet network-note" title={note}>{note}</span>}
        <div className="network-narrow">
          {row.link && <StandingOf row={row} />}
          {row.link && !isHere(row) && isSet(row.link.heard) && (
            <span>
              {t('network.heard')} <Age at={row.link.heard} />
              {row.link.rtt_p50 > 0 && (
                <>
                  {' · '}
                  {t('network.rtt')} <RoundTrip of={row.link} />
                </>
              )}
            </span>
          )}
          {row.capacity && row.capacity.pools > 0 && <FreeOf capacity={row.capacity} />}
          {row.member && answer && <Answers member={row.member} answer={answer} />}
        </div>
      </div>
    </div>
  );
}

/** May it be here, is it here, since when, and why not. */
function StandingOf({ row }: { row: Row }) {
  const { t, name, told, language } = useWords();
  const now = useNow(1000);
  const { link, member } = row;
  if (!link) return null;
  if (isHere(row)) {
    return (
      <div className="tags">
        <span className="quiet">{t('network.here')}</span>
        {member && <HealthTag health={member.health} />}
      </div>
    );
  }
  const state = member?.state ?? '';
  return (
    <div className="two-lines standing">
      <div className="tags">
        {state && (
          <span className={`badge ${state}`} data-join={state}>
            {name('join', state)}
          </span>
        )}
        {state !== 'asked' && (
          <span className="state" data-connected={link.connected}>
            <i className={link.connected ? 'dot on' : 'dot off'} />
            {t(link.connected ? 'network.on' : 'network.off')}
          </span>
        )}
        {member && /warning|critical/.test(member.health) && <HealthTag health={member.health} />}
      </div>
      {isSet(link.since) && (
        <time className="quiet" dateTime={link.since} title={showMoment(link.since)}>
          {t('network.for', { span: showSpan(Math.floor(spanBetween(link.since, null, now)), language) })}
        </time>
      )}
      {!link.connected && link.problem && (
        <span className="network-problem">{told(link.problem)}</span>
      )}
    </div>
  );
}

/** How long ago something was heard, to the second. */
function Age({ at }: { at: Moment }) {
  const { language } = useWords();
  const now = useNow(1000);
  if (!isSet(at)) return <span className="quiet">—</span>;
  return (
    <time dateTime={at} title={`${showMoment(at)} · ${at}`} className="number">
      {showAge(at, now, language)}
    </time>
  );
}

function RoundTrip({ of }: { of: MemberView | ParentView }) {
  if (of.rtt_p50 <= 0) return <span className="quiet">—</span>;
  return (
    <span className="number" data-rtt>
      {showMs(of.rtt_p50 * 1000)}
      <span className="quiet"> / {showMs(of.rtt_p99 * 1000)} ms</span>
    </span>
  );
}

/** What is free, of how much; closed pools do not count. */
function FreeOf({ capacity }: { capacity: Capacity }) {
  const { t } = useWords();
  const { pools, cards_total_milli, cards_free_milli, cpu_total_milli, cpu_free_milli } = capacity;
  if (pools === 0) return <span className="quiet">—</span>;
  const parts = [
    { word: 'network.cards', free: cards_free_milli, total: cards_total_milli },
    { word: 'network.cores', free: cpu_free_milli, total: cpu_total_milli },
  ] as const;
  return (
    <div className="two-lines">
      {parts
        .filter(({ total }) => total > 0)
        .map(({ word, free, total }) => (
          <span key={word} className="number">
            {t(word)} {showMilli(free)}
            <span className="quiet"> / {showMilli(total)}</span>
          </span>
        ))}
    </div>
  );
}

function Answers(props: { member: MemberView; answer: (answer: Answer) => void }) {
  const { t } = useWords();
  const { member, answer } = props;
  if (member.state === '') return null;
  return (
    <div className="tags">
      {member.state !== 'approved' && (
        <Button
          size="small"
          type={member.state === 'asked' ? 'primary' : 'default'}
          aria-label={`${t('join.approve')} ${member.name}`}
          onClick={() => answer({ member, isApproved: true })}
        >
          {t('join.approve')}
        </Button>
      )}
      {member.state !== 'refused' && (
        <Button
          size="small"
          danger
          aria-label={`${t('join.refuse')} ${member.name}`}
          onClick={() => answer({ member, isApproved: false })}
        >
          {t('join.refuse')}
        </Button>
      )}
    </div>
  );
}
