import { DownloadOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { printCsv, saveFile, type Column } from '../csv';
import { showNumber } from '../format';
import { useWords } from '../i18n';
import { usePages, type LoadedPages } from '../load';
import { useSession } from '../session';
import type { ChargeView, CostView, Money, PostingList, PostingView } from '../views';
import { LoadedView } from './loaded';
import { JobLink, MoneyText, When } from './marks';
import { More } from './more';
import { Rows } from './rows';

const pageRows = 100;

/** Charge lines under their FOCUS 1.2 names; what FOCUS does not have is named x_…. */
export const chargeColumns: readonly Column<ChargeView>[] = [
  { name: 'ChargePeriodStart', value: (row) => row.charge_period_start ?? '' },
  { name: 'ChargePeriodEnd', value: (row) => row.charge_period_end ?? '' },
  { name: 'SubAccountName', value: (row) => row.sub_account_name },
  { name: 'ResourceName', value: (row) => row.resource_name },
  { name: 'ChargeDescription', value: (row) => row.charge_description },
  { name: 'ConsumedQuantity', value: (row) => row.consumed_quantity },
  { name: 'PricingQuantity', value: (row) => row.pricing_quantity },
  { name: 'ConsumedUnit', value: (row) => row.consumed_unit },
  { name: 'ListUnitPrice', value: (row) => row.list_unit_price },
  { name: 'BilledCost', value: (row) => row.billed_cost },
  { name: 'BillingCurrency', value: () => 'CNY' },
  { name: 'x_Job', value: (row) => row.job },
  { name: 'x_Task', value: (row) => row.task },
  { name: 'x_Attempt', value: (row) => row.attempt },
];

export const postingColumns: readonly Column<PostingView>[] = [
  { name: 'sequence', value: (row) => row.sequence },
  { name: 'at', value: (row) => row.at ?? '' },
  { name: 'kind', value: (row) => row.kind },
  { name: 'from', value: (row) => row.from },
  { name: 'to', value: (row) => row.to },
  { name: 'amount_cny', value: (row) => row.amount },
  { name: 'job', value: (row) => row.job ?? '' },
  { name: 'text', value: (row) => row.text },
];

/** Charges of a project or of a job, newest first. */
export function useCharges(filter: { project?: string; job?: string }) {
  const { api } = useSession();
  return usePages<ChargeView, { total: Money }>(
    `charges/${filter.project ?? ''}/${filter.job ?? ''}`,
    async (before, signal) => {
      const params = { ...filter, before, limit: pageRows };
      const page = await api.get<CostView>('/v1/costs', params, signal);
      return { rows: page.charges, next: page.next, head: { total: page.total } };
    },
    { on: (notice) => !filter.job || notice.job === filter.job },
  );
}

export function usePostings(project: string) {
  const { api } = useSession();
  return usePages<PostingView, null>(
    `postings/${project}`,
    async (before, signal) => {
      const params = { project, before, limit: pageRows };
      const page = await api.get<PostingList>('/v1/postings', params, signal);
      return { rows: page.postings, next: page.next, head: null };
    },
    { on: () => true },
  );
}

export function Charges(props: { of: LoadedPages<ChargeView, { total: Money }>; name: string }) {
  const { t } = useWords();
  return (
    <LoadedView of={props.of}>
      {({ rows, head }) => (
        <>
          <div className="table-tools">
            <span>
              {t('charges.total')} <MoneyText amount={head.total} />
            </span>
            <CsvButton name={props.name} columns={chargeColumns} rows={rows} />
          </div>
          <ChargeRows rows={rows} />
          <More of={props.of} />
        </>
      )}
    </LoadedView>
  );
}

function ChargeRows({ rows }: { rows: ChargeView[] }) {
  const { t, name } = useWords();
  return (
    <Rows<ChargeView>
      label={t('ledger.charges')}
      empty={t('charges.empty')}
      size="small"
      rowKey={(row) =>
        [row.job, row.task, row.attempt, row.charge_period_start, row.consumed_unit].join('/')
      }
      dataSource={rows}
      columns={[
        {
          title: t('focus.period_start'),
          render: (_, row) => <When at={row.charge_period_start} />,
        },
        { title: t('focus.period_end'), render: (_, row) => <When at={row.charge_period_end} /> },
        { title: t('focus.sub_account'), dataIndex: 'sub_account_name' },
        { title: t('focus.resource'), dataIndex: 'resource_name' },
        {
          title: t('noun.job'),
          render: (_, row) => (
            <>
              <JobLink id={row.job} />
              <span className="quiet">{` #${row.task}.${row.attempt}`}</span>
            </>
          ),
        },
        {
          title: t('focus.quantity'),
          align: 'right',
          render: (_, row) => (
            <span className="number">{showNumber(row.pricing_quantity, 6)}</span>
          ),
        },
        { title: t('focus.unit'), render: (_, row) => name('unit', row.consumed_unit) },
        {
          title: t('focus.unit_price'),
          align: 'right',
          render: (_, row) => <MoneyText amount={row.list_unit_price} />,
        },
        {
          title: t('focus.billed'),
          align: 'right',
          render: (_, row) => (
            <strong>
              <MoneyText amount={row.billed_cost} />
            </strong>
          ),
        },
        { title: t('focus.description'), dataIndex: 'charge_description' },
      ]}
    />
  );
}

export function Postings({ of: loaded, name }: {
  of: LoadedPages<PostingView, null>;
  name: string;
}) {
  const words = useWords();
  const { t } = words;
  return (
    <LoadedView of={loaded}>
      {({ rows }) => (
        <>
          <div className="table-tools">
            <span className="quiet">{t('postings.note')}</span>
            <CsvButton name={name} columns={postingColumns} rows={rows} />
          </div>
          <Rows<PostingView>
            label={t('ledger.postings')}
            empty={t('postings.empty')}
            size="small"
            rowKey={(row) => [row.sequence, row.kind, row.from, row.to, row.job, row.amount].join()}
            dataSource={rows}
            columns={[
              { title: t('field.sequence'), dataIndex: 'sequence', align: 'right' },
              { title: t('field.at'), render: (_, row) => <When at={row.at} /> },
              { title: t('field.kind'), render: (_, row) => words.name('posting', row.kind) },
              { title: t('field.from'), render: (_, row) => <code>{row.from}</code> },
              { title: t('field.to'), render: (_, row) => <code>{row.to}</code> },
              {
                title: t('field.amount'),
                align: 'right',
                render: (_, row) => <MoneyText amount={row.amount} />,
              },
              { title: t('noun.job'), render: (_, row) => <JobLink id={row.job} /> },
              { title: t('field.text'), dataIndex: 'text' },
            ]}
          />
          <More of={loaded} />
        </>
      )}
    </LoadedView>
  );
}

function CsvButton<T>(props: {
  name: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
}) {
  const { t } = useWords();
  const save = () =>
    saveFile(`${props.name}.csv`, 'text/csv;charset=utf-8', printCsv(props.columns, props.rows));
  return (
    <Button icon={<DownloadOutlined />} disabled={props.rows.length === 0} onClick={save}>
      {t('action.csv')}
    </Button>
  );
}
