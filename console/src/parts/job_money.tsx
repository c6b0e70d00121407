import { Progress } from 'antd';
import { useWords } from '../i18n';
import { chartLength, isZero } from '../money';
import type { JobView } from '../views';
import { MoneyText } from './marks';

/** What a job costs: per hour, so far, held, and how much of its budget that is. */
export function JobMoney({ job }: { job: JobView }) {
  const { t } = useWords();
  const budget = chartLength(job.budget);
  const share = budget > 0 ? Math.min(100, (100 * chartLength(job.cost)) / budget) : 0;
  return (
    <div className="tiles">
      <Amount title={t('field.cost')} amount={job.cost} />
      <Amount title={t('field.hourly_cost')} amount={job.hourly_cost} suffix={t('unit.per_hour')} />
      <Amount title={t('money.held')} amount={job.held} />
      <div className="tile">
        <div className="quiet">{t('field.budget')}</div>
        <div className="tile-amount">
          {isZero(job.budget) ? t('budget.none') : <MoneyText amount={job.budget} />}
        </div>
        {budget > 0 && (
          <Progress
            percent={Math.round(share)}
            size="small"
            status={share >= 100 ? 'exception' : 'normal'}
          />
        )}
      </div>
    </div>
  );
}

function Amount(props: { title: string; amount: string; suffix?: string }) {
  return (
    <div className="tile">
      <div className="quiet">{props.title}</div>
      <div className="tile-amount">
        <MoneyText amount={props.amount} suffix={props.suffix ?? ''} />
      </div>
    </div>
  );
}
