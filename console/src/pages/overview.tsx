import { Col, Empty, Progress, Row, Statistic, Tag } from 'antd';
import { useMemo, type ReactNode } from 'react';
import { useNotices } from '../feed';
import { showMilli, showNumber } from '../format';
import { useWords } from '../i18n';
import { useLoad, useNow } from '../load';
import { isZero, showMoney, showMoneyRounded, sumMoney } from '../money';
import { Chart } from '../parts/chart';
import { LoadedView } from '../parts/loaded';
import { Ago, Code, HealthTag, JobLink, StateTag } from '../parts/marks';
import { PageHead, Panel } from '../parts/panel';
import { Rows } from '../parts/rows';
import { printRoute } from '../route';
import { useSession } from '../session';
import {
  isNamed,
  type CostView,
  type DomainView,
  type JobList,
  type MemberView,
  type PoolList,
  type ProjectList,
  type Site,
} from '../views';
import {
  chipRows,
  chipsOption,
  hourRows,
  hoursOption,
  projectsOption,
  statesOption,
} from './overview_charts';

const recentMax = 200;

/** Events that only keep things going; the activity leaves them out. */
const quietEvents = new Set([
  'hold_extended', 'job_evicted', 'lease_confirmed', 'lease_granted', 'lease_released',
  'request_accepted', 'requests_forgotten', 'unit_renewed',
]);

/** The whole domain at a glance (全局总览). */
export function Overview() {
  const { t } = useWords();
  const { api } = useSession();
  const domain = useLoad('domain', (signal) => api.get<DomainView>('/v1/domain', {}, signal), {
    on: () => true,
    everyMs: 30_000,
  });
  const projects = useLoad(
    'projects',
    (signal) => api.get<ProjectList>('/v1/projects', {}, signal),
    { on: () => true },
  );
  return (
    <>
      <PageHead
        title={t('nav.overview')}
        note={domain.value && <DomainNote domain={domain.value} />}
      />
      <LoadedView of={domain} rows={2}>
        {(value) => <Tiles domain={value} projects={projects.value} />}
      </LoadedView>
      <Row gutter={[16, 16]}>
        <Col xs={24} lg={12} xxl={8}>
          <StatesPanel />
        </Col>
        <Col xs={24} lg={12} xxl={8}>
          <ChipsPanel />
        </Col>
        <Col xs={24} lg={12} xxl={8}>
          <Panel title={t('overview.money')}>
            <LoadedView of={projects}>{(value) => <ProjectsChart list={value} />}</LoadedView>
          </Panel>
        </Col>
        <Col xs={24} lg={12} xxl={14}>
          <HoursPanel />
        </Col>
        <Col xs={24} xxl={10}>
          <ActivityPanel />
        </Col>
        <Col xs={24} xxl={14}>
          <Panel
            title={t('overview.members')}
            extra={<a href={printRoute('network')}>{t('nav.network')}</a>}
            isFlush
          >
            <LoadedView of={domain}>{(value) => <Members members={value.members} />}</LoadedView>
          </Panel>
        </Col>
        <Col xs={24} xxl={10}>
          <Panel title={t('overview.sites')} isFlush>
            <LoadedView of={domain}>{(value) => <Sites sites={value.sites} />}</LoadedView>
          </Panel>
        </Col>
      </Row>
    </>
  );
}

function DomainNote({ domain }: { domain: DomainView }) {
  const { t } = useWords();
  return (
    <>
      {t('overview.domain', { name: domain.name, version: domain.version })} ·{' '}
      {t('overview.sequence', { sequence: showNumber(domain.sequence) })} ·{' '}
      <span title={domain.hash}>
        {t('overview.hash')} <code>{domain.hash.slice(0, 12)}</code>
      </span>
    </>
  );
}

function Tiles(props: { domain: DomainView; projects: ProjectList | undefined }) {
  const { t } = useWords();
  const { domain, projects } = props;
  const total = (of: 'available' | 'held' | 'charged') =>
    projects ? sumMoney(projects.projects.map((project) => project[of])) : '';
  return (
    <div className="tiles">
      <Tile href={printRoute('jobs', '', { state: 'running' })} title={t('overview.running')}>
        {showNumber(domain.jobs_running)}
      </Tile>
      <Tile href={printRoute('jobs', '', { state: 'queued' })} title={t('overview.queued')}>
        {showNumber(domain.jobs_queued)}
      </Tile>
      <Tile href={printRoute('jobs')} title={t('overview.ended')}>
        {showNumber(domain.jobs_ended)}
      </Tile>
      <Capacity
        title={t('overview.cards')}
        freeMilli={domain.cards_free_milli}
        totalMilli={domain.cards_total * 1000}
      />
      <Capacity
        title={t('overview.cores')}
        freeMilli={domain.cpu_free_milli}
        totalMilli={domain.cpu_total_milli}
      />
      <Tile
        href={printRoute('ledger')}
        title={t('money.available')}
        hint={showMoney(total('available'))}
        note={
          <>
            {t('money.held')} {showMoneyRounded(total('held'))}
            <br />
            {t('money.charged')} {showMoneyRounded(total('charged'))}
          </>
        }
      >
        {showMoneyRounded(total('available'))}
      </Tile>
    </div>
  );
}

function Tile(props: {
  href: string;
  title: string;
  children: string;
  hint?: string;
  note?: ReactNode;
}) {
  return (
    <a href={props.href} className="tile" title={props.hint}>
      <Statistic title={props.title} value={props.children} formatter={(value) => value} />
      {props.note && <div className="tile-note quiet">{props.note}</div>}
    </a>
  );
}

function Capacity(props: { title: string; freeMilli: number; totalMilli: number }) {
  const { t } = useWords();
  const { freeMilli, totalMilli } = props;
  const used = totalMilli > 0 ? Math.round((100 * (totalMilli - freeMilli)) / totalMilli) : 0;
  return (
    <a href={printRoute('supply')} className="tile">
      <Statistic
        title={props.title}
        value={showMilli(freeMilli)}
        suffix={`/ ${showMilli(totalMilli)}`}
        formatter={(value) => value}
      />
      <Progress
        percent={used}
        size="small"
        status="normal"
        aria-label={t('overview.used', { percent: used })}
      />
    </a>
  );
}

function StatesPanel() {
  const words = useWords();
  const { api } = useSession();
  const jobs = useLoad(
    'recent-jobs',
    (signal) => api.get<JobList>('/v1/jobs', { limit: recentMax }, signal),
    { on: (notice) => isNamed(notice.job) },
  );
  const option = useMemo(() => statesOption(jobs.value?.jobs ?? [], words), [jobs.value, words]);
  return (
    <Panel
      title={words.t('overview.states')}
      extra={
        <span className="quiet">
          {words.t('overview.recent', { count: jobs.value?.jobs.length ?? 0 })}
        </span>
      }
    >
      <LoadedView of={jobs}>
        {(value) =>
          value.jobs.length > 0 ? (
            <Chart option={option} label={words.t('overview.states')} />
          ) : (
            <Nothing text={words.t('jobs.empty')} />
          )
        }
      </LoadedView>
    </Panel>
  );
}

function ChipsPanel() {
  const words = useWords();
  const { api } = useSession();
  const pools = useLoad('pools', (signal) => api.get<PoolList>('/v1/pools', {}, signal), {
    on: () => true,
  });
  const rows = useMemo(() => chipRows(pools.value?.pools ?? []), [pools.value]);
  const option = useMemo(() => chipsOption(rows, words), [rows, words]);
  return (
    <Panel title={words.t('overview.chips')}>
      <LoadedView of={pools}>
        {() =>
          rows.length > 0 ? (
            <Chart option={option} label={words.t('overview.chips')} />
          ) : (
            <Nothing text={words.t('overview.no_cards')} />
          )
        }
      </LoadedView>
    </Panel>
  );
}

function ProjectsChart({ list }: { list: ProjectList }) {
  const words = useWords();
  const option = useMemo(() => projectsOption(list.projects, words), [list, words]);
  if (list.projects.length === 0) return <Nothing text={words.t('projects.empty')} />;
  return <Chart option={option} label={words.t('overview.money')} />;
}

function HoursPanel() {
  const words = useWords();
  const { api } = useSession();
  const now = useNow(60_000);
  const costs = useLoad(
    'recent-costs',
    (signal) => api.get<CostView>('/v1/costs', { limit: recentMax }, signal),
    { on: () => true },
  );
  const rows = useMemo(() => hourRows(costs.value?.charges ?? [], now), [costs.value, now]);
  const option = useMemo(() => hoursOption(rows, words), [rows, words]);
  return (
    <Panel
      title={words.t('overview.hours')}
      extra={<span className="quiet">{words.t('overview.hours_note', { count: recentMax })}</span>}
    >
      <LoadedView of={costs}>
        {() =>
          rows.some((row) => !isZero(row.amount)) ? (
            <Chart option={option} label={words.t('overview.hours')} />
          ) : (
            <Nothing text={words.t('charges.empty')} />
          )
        }
      </LoadedView>
    </Panel>
  );
}

function ActivityPanel() {
  const { t, name } = useWords();
  const notices = useNotices().filter((notice) => !quietEvents.has(notice.event));
  return (
    <Panel title={t('overview.activity')}>
      {notices.length === 0 ? (
        <Nothing text={t('overview.quiet')} />
      ) : (
        <ol className="activity" role="log" aria-label={t('overview.activity')}>
          {notices.slice(0, 60).map((notice, i) => (
            <li key={`${notice.sequence}/${notice.event}/${notices.length - i}`}>
              <span className="activity-when quiet">
                <Ago at={notice.at} />
              </span>
              <span className="activity-event">{name('event', notice.event)}</span>
              {isNamed(notice.job) && (
                <>
                  <JobLink id={notice.job} />
                  <StateTag state={notice.state} />
                </>
              )}
              <span className="activity-sequence quiet number">{notice.sequence}</span>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

function Members({ members }: { members: MemberView[] }) {
  const { t } = useWords();
  return (
    <Rows<MemberView>
      label={t('overview.members')}
      empty={t('members.empty')}
      rowKey="name"
      dataSource={members}
      columns={[
        { title: t('noun.member'), dataIndex: 'name' },
        { title: t('field.kind'), render: (_, row) => <Code text={row.kind} /> },
        { title: t('field.health'), render: (_, row) => <HealthTag health={row.health} /> },
        { title: t('field.pools'), dataIndex: 'pools', align: 'right' },
        { title: t('field.running'), dataIndex: 'running', align: 'right' },
        {
          title: t('field.note'),
          render: (_, row) => <div className="note">{row.note || '—'}</div>,
        },
      ]}
    />
  );
}

function Sites({ sites }: { sites: Site[] }) {
  const { t } = useWords();
  return (
    <Rows<Site>
      label={t('overview.sites')}
      empty={t('sites.empty')}
      rowKey="id"
      dataSource={sites}
      columns={[
        {
          title: t('noun.site'),
          render: (_, row) => (
            <>
              {row.name} {row.is_draining && <Tag color="orange">{t('serving.draining')}</Tag>}
            </>
          ),
        },
        { title: t('field.city'), render: (_, row) => row.city || '—' },
        { title: t('field.region'), render: (_, row) => row.region || '—' },
        {
          title: 'PUE',
          align: 'right',
          render: (_, row) => (row.pue_milli > 0 ? (row.pue_milli / 1000).toFixed(2) : '—'),
        },
        {
          title: t('field.carbon'),
          align: 'right',
          render: (_, row) => (row.carbon_g_per_kwh > 0 ? `${row.carbon_g_per_kwh} g/kWh` : '—'),
        },
      ]}
    />
  );
}

function Nothing({ text }: { text: string }) {
  return <Empty className="nothing" image={Empty.PRESENTED_IMAGE_SIMPLE} description={text} />;
}
