import { Empty, Progress, Tag, Tooltip } from 'antd';
import { useState } from 'react';
import { showBytes, showMilli, showNumber } from '../format';
import { useWords } from '../i18n';
import { useLoad } from '../load';
import { isZero } from '../money';
import { LoadedView } from '../parts/loaded';
import { MoneyText } from '../parts/marks';
import { PageHead, Panel } from '../parts/panel';
import { Rows } from '../parts/rows';
import { isFound, Search } from '../parts/search';
import { useSession } from '../session';
import type { PoolList, PoolView } from '../views';

/** What can be had: pools by site, what is free and what it costs. */
export function Supply() {
  const { t } = useWords();
  const { api } = useSession();
  const [text, setText] = useState('');
  const pools = useLoad('pools', (signal) => api.get<PoolList>('/v1/pools', {}, signal), {
    on: () => true,
    everyMs: 30_000,
  });
  return (
    <>
      <PageHead title={t('nav.supply')} note={t('supply.note')}>
        <Search value={text} onChange={setText} placeholder={t('supply.search')} />
      </PageHead>
      <LoadedView of={pools} rows={8}>
        {(list) => <SiteList pools={list.pools.filter((row) => isFound(text, wordsOf(row)))} />}
      </LoadedView>
    </>
  );
}

function wordsOf(row: PoolView): string[] {
  return [row.name, row.pool.chip, row.region, row.city, row.member];
}

function SiteList({ pools }: { pools: PoolView[] }) {
  const { t } = useWords();
  const sites = new Map<string, PoolView[]>();
  for (const pool of pools) {
    const site = pool.name.split('/')[0] ?? pool.name;
    sites.set(site, [...(sites.get(site) ?? []), pool]);
  }
  if (pools.length === 0) return <Empty description={t('supply.empty')} />;
  return (
    <div className="stack">
      {[...sites].map(([site, rows]) => (
        <Panel
          key={site}
          isFlush
          title={
            <>
              {site}{' '}
              <span className="quiet">
                {[rows[0]?.city, rows[0]?.region].filter(Boolean).join(' · ')}
              </span>
            </>
          }
          extra={<span className="quiet">{t('supply.pools', { count: rows.length })}</span>}
        >
          <PoolRows site={site} rows={rows} />
        </Panel>
      ))}
    </div>
  );
}

function PoolRows({ site, rows }: { site: string; rows: PoolView[] }) {
  const { t, name } = useWords();
  return (
    <Rows<PoolView>
      label={t('supply.pools_of', { site })}
      rowKey="name"
      dataSource={rows}
      columns={[
        {
          title: t('noun.pool'),
          render: (_, row) => (
            <div className="two-lines">
              <span>{row.pool.name}</span>
              <span className="quiet">{row.member}</span>
            </div>
          ),
        },
        {
          title: t('field.chip'),
          render: (_, row) => row.pool.chip || <span className="quiet">{t('chip.none')}</span>,
        },
        {
          title: t('field.cards_free'),
          render: (_, row) => (
            <Share free={row.cards_free_milli} total={row.cards_total * 1000} show={showMilli} />
          ),
        },
        {
          title: t('field.cores_free'),
          render: (_, row) => (
            <Share
              free={row.cpu_free_milli}
              total={row.pool.cpu_milli_per_node * row.pool.nodes}
              show={showMilli}
            />
          ),
        },
        {
          title: t('field.memory_free'),
          render: (_, row) => (
            <Share
              free={row.memory_free_bytes}
              total={row.pool.memory_bytes_per_node * row.pool.nodes}
              show={showBytes}
            />
          ),
        },
        {
          title: t('field.nodes_free'),
          align: 'right',
          render: (_, row) => (
            <span className="number">
              {showNumber(row.nodes_free)}
              <span className="quiet"> / {showNumber(row.pool.nodes)}</span>
            </span>
          ),
        },
        { title: t('field.price'), render: (_, row) => <PriceText row={row} /> },
        { title: t('field.flops'), render: (_, row) => <FlopsText row={row} /> },
        {
          title: t('field.promise'),
          render: (_, row) => (
            <div className="tags">
              <Tag color={row.pool.is_firm ? 'green' : 'default'}>
                {t(row.pool.is_firm ? 'promise.firm' : 'promise.queued')}
              </Tag>
              {row.pool.runs_images && <Tag>{t('promise.images')}</Tag>}
              {row.pool.moves_data && (
                <Tag title={row.pool.stores.join(', ')}>{t('promise.data')}</Tag>
              )}
              {row.pool.state !== 'production' && (
                <Tag color="orange">{name('serving', row.pool.state)}</Tag>
              )}
            </div>
          ),
        },
      ]}
    />
  );
}

function Share(props: { free: number; total: number; show: (value: number) => string }) {
  const { t } = useWords();
  const { free, total, show } = props;
  if (total === 0) return <span className="quiet">—</span>;
  const used = Math.round((100 * (total - free)) / total);
  return (
    <div className="share">
      <span className="number">
        {show(free)}
        <span className="quiet"> / {show(total)}</span>
      </span>
      <Progress
        percent={used}
        size="small"
        status="normal"
        showInfo={false}
        aria-label={t('overview.used', { percent: used })}
      />
    </div>
  );
}

function PriceText({ row }: { row: PoolView }) {
  const { t } = useWords();
  const { card_hour, core_hour } = row.pool.price;
  const rates = row.pool.rates.values;
  return (
    <div className="two-lines">
      {row.cards_total > 0 && <MoneyText amount={card_hour} suffix={t('unit.per_card_hour')} />}
      {(row.cards_total === 0 || !isZero(core_hour)) && (
        <MoneyText amount={core_hour} suffix={t('unit.per_core_hour')} />
      )}
      {rates.length > 0 && (
        <span className="quiet">
          {t('price.by_hour', { least: percent(Math.min(...rates)), most: percent(Math.max(...rates)) })}
        </span>
      )}
      {row.pool.spot_milli > 0 && (
        <span className="quiet">{t('price.spot', { part: percent(row.pool.spot_milli) })}</span>
      )}
    </div>
  );
}

// A rate, as what spot work pays, is in thousandths of the list price.
function percent(rate: number): string {
  return `${Math.round(rate / 10)} %`;
}

// FLOPS are of one card, in one precision, with their source; they are never added up.
function FlopsText({ row }: { row: PoolView }) {
  const { t } = useWords();
  if (row.cards_total === 0) return <span className="quiet">—</span>;
  if (row.fp16_tflops_dense === 0) return <span className="quiet">{t('flops.unknown')}</span>;
  return (
    <Tooltip title={t('flops.source', { source: row.flops_source || '—' })}>
      <div className="two-lines" tabIndex={0}>
        <span className="number">{showNumber(row.fp16_tflops_dense)} TFLOPS</span>
        <span className="quiet">{t('flops.precision')}</span>
        <span className="quiet flops-source">{row.flops_source}</span>
      </div>
    </Tooltip>
  );
}
