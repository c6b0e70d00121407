import { ArrowRightOutlined, BulbOutlined } from '@ant-design/icons';
import { Alert, Descriptions, Empty, Progress, Tag, Timeline } from 'antd';
import { showNumber, showSpan } from '../format';
import { useWords } from '../i18n';
import { isWaiting, type Candidate, type Change, type Rejection, type WhyView } from '../views';
import { MoneyText } from './marks';
import { Panel } from './panel';
import { Rows } from './rows';

/** The whole answer to "why": what was turned down, what would help, what was chosen. */
export function Why({ why }: { why: WhyView }) {
  const { t, told } = useWords();
  return (
    <div className="stack why">
      <Alert type={isWaiting(why.state) ? 'warning' : 'info'} showIcon title={told(why.text)} />
      <div className="why-facts">
        <span>{t('why.pools', { count: why.pools })}</span>
        {why.ahead > 0 && <span>{t('why.ahead', { count: why.ahead })}</span>}
      </div>
      {why.chosen?.pool && (
        <Panel title={t('why.chosen')}>
          <Chosen chosen={why.chosen} />
        </Panel>
      )}
      {(why.changes.length > 0 || why.nothing_helps) && (
        <Panel title={t('why.changes')}>
          {why.nothing_helps && <p>{t('why.nothing_helps')}</p>}
          <Changes changes={why.changes} />
        </Panel>
      )}
      {why.rejected.length > 0 && (
        <Panel title={t('why.rejected')}>
          <Rejections rejected={why.rejected} />
        </Panel>
      )}
      {why.alternatives.length > 0 && (
        <Panel title={t('why.alternatives')} isFlush>
          <Candidates candidates={why.alternatives} />
        </Panel>
      )}
      <Panel title={t('why.history')}>
        {why.history.length > 0 ? (
          <Timeline items={why.history.map((text, i) => ({ key: i, content: told(text) }))} />
        ) : (
          <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('why.no_history')} />
        )}
      </Panel>
    </div>
  );
}

function Rejections({ rejected }: { rejected: Rejection[] }) {
  const { name, language } = useWords();
  const most = Math.max(...rejected.map((one) => one.count));
  const sorted = [...rejected].sort((a, b) => b.count - a.count);
  return (
    <ul className="bars">
      {sorted.map((one) => (
        <li key={`${one.reason}/${one.text}`}>
          <span className="bars-count number">{showNumber(one.count)}</span>
          <div>
            <div>
              {name('reason', one.reason)}{' '}
              {language === 'en' && one.text !== name('reason', one.reason) && (
                <span className="quiet">{one.text}</span>
              )}
            </div>
            <Progress
              percent={(100 * one.count) / most}
              showInfo={false}
              size="small"
              status="normal"
              strokeColor="#d9a441"
              aria-hidden
            />
          </div>
        </li>
      ))}
    </ul>
  );
}

function Changes({ changes }: { changes: Change[] }) {
  const { t, told } = useWords();
  return (
    <ul className="changes">
      {changes.map((change) => (
        <li key={`${change.field}/${change.to}/${change.pool}`}>
          <BulbOutlined aria-hidden />
          <div>
            <div>{told(change.text)}</div>
            <div className="change">
              <code>{change.field}</code>
              <del>{change.from || t('why.unset')}</del>
              <ArrowRightOutlined aria-label={t('why.to')} />
              <ins>{change.to || t('why.unset')}</ins>
              {change.pool && <span className="quiet">{t('why.at', { pool: change.pool })}</span>}
            </div>
          </div>
        </li>
      ))}
    </ul>
  );
}

function Chosen({ chosen }: { chosen: Candidate }) {
  const { t } = useWords();
  return (
    <Descriptions
      size="small"
      column={{ xs: 1, md: 2, xl: 3 }}
      items={[
        { label: t('noun.pool'), children: <strong>{chosen.pool}</strong> },
        { label: t('field.region'), children: chosen.region || '—' },
        { label: t('field.chip'), children: chosen.chip || t('chip.none') },
        { label: t('field.alternative'), children: chosen.alternative || '—' },
        {
          label: t('field.hourly_cost'),
          children: <MoneyText amount={chosen.hourly_cost} suffix={t('unit.per_hour')} />,
        },
        { label: t('field.promise'), children: <PromiseTag candidate={chosen} /> },
        {
          label: t('field.score'),
          span: 'filled',
          children: <Score terms={chosen.score} />,
        },
      ]}
    />
  );
}

function Score({ terms }: { terms: string[] }) {
  const { told } = useWords();
  return (
    <div className="tags">
      {terms.map((term) => (
        <Tag key={term}>{told(term)}</Tag>
      ))}
    </div>
  );
}

function PromiseTag({ candidate }: { candidate: Candidate }) {
  const { t, language } = useWords();
  return (
    <div className="tags">
      <Tag color={candidate.is_firm ? 'green' : 'default'}>
        {t(candidate.is_firm ? 'promise.firm' : 'promise.queued')}
      </Tag>
      {candidate.reading_age > 0 && (
        <span className="quiet">
          {t('why.reading_age', { age: showSpan(candidate.reading_age, language) })}
        </span>
      )}
    </div>
  );
}

function Candidates({ candidates }: { candidates: Candidate[] }) {
  const { t } = useWords();
  return (
    <Rows<Candidate>
      label={t('why.alternatives')}
      size="small"
      rowKey="pool"
      dataSource={candidates}
      columns={[
        { title: t('noun.pool'), dataIndex: 'pool' },
        { title: t('field.region'), dataIndex: 'region' },
        { title: t('field.chip'), render: (_, row) => row.chip || t('chip.none') },
        {
          title: t('field.hourly_cost'),
          align: 'right',
          render: (_, row) => <MoneyText amount={row.hourly_cost} suffix={t('unit.per_hour')} />,
        },
        { title: t('field.nodes_now'), dataIndex: 'nodes', align: 'right' },
        { title: t('field.promise'), render: (_, row) => <PromiseTag candidate={row} /> },
        {
          title: t('field.score'),
          render: (_, row) => <Score terms={row.score} />,
        },
      ]}
    />
  );
}
