import { PlusOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useState } from 'react';
import { useWords } from '../i18n';
import { useLoad } from '../load';
import { AnswerJoin, type Answer } from '../parts/answer_join';
import { HowToJoin } from '../parts/how_to_join';
import { LoadedView } from '../parts/loaded';
import { NewJoinToken } from '../parts/new_join_token';
import { PageHead, Panel } from '../parts/panel';
import { useSession } from '../session';
import type { DomainView, MemberList, PoolList } from '../views';
import { NetworkMap } from './network_map';
import { NetworkTree } from './network_tree';

/** What the page is about, read together so that it agrees. */
export interface Network {
  list: MemberList;
  domain: DomainView;
  pools: PoolList;
}

const everyMs = 5000;

/** Who works with whom: the domains above, the members below, and where they are. */
export function Network() {
  const { t } = useWords();
  const { api, me } = useSession();
  const [isMaking, setMaking] = useState(false);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const isOperator = me.role === 'operator';
  const network = useLoad(
    'network',
    async (signal): Promise<Network> => {
      const [list, domain, pools] = await Promise.all([
        api.get<MemberList>('/v1/members', {}, signal),
        api.get<DomainView>('/v1/domain', {}, signal),
        api.get<PoolList>('/v1/pools', {}, signal),
      ]);
      return { list, domain, pools };
    },
    { on: (notice) => /member|join|pool|site|parent/.test(notice.event), everyMs },
  );
  return (
    <>
      <PageHead title={t('nav.network')} note={t('network.note')}>
        {isOperator && (
          <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
            {t('token.new')}
          </Button>
        )}
      </PageHead>
      <LoadedView of={network} rows={8}>
        {(value) => (
          <div className="stack">
            <Panel title={t('network.tree')} isFlush>
              <NetworkTree of={value} answer={isOperator ? setAnswer : undefined} />
              {!value.list.members.some((member) => member.kind === 'domain') && (
                <HowToJoin isOperator={isOperator} />
              )}
            </Panel>
            <NetworkMap of={value} />
          </div>
        )}
      </LoadedView>
      {isMaking && <NewJoinToken onClose={() => setMaking(false)} onMade={network.reload} />}
      {answer && (
        <AnswerJoin of={answer} onClose={() => setAnswer(null)} onDone={network.reload} />
      )}
    </>
  );
}
