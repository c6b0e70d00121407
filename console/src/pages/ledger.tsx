import { Tabs } from 'antd';
import { useWords } from '../i18n';
import { useLoad } from '../load';
import { Charges, Postings, useCharges, usePostings } from '../parts/charges';
import { LoadedView } from '../parts/loaded';
import { MoneyText } from '../parts/marks';
import { PageHead, Panel } from '../parts/panel';
import { Rows } from '../parts/rows';
import { replaceQuery, useRoute } from '../route';
import { useSession } from '../session';
import type { ProjectList, ProjectView } from '../views';
import { ProjectSelect } from './jobs';

/** Money: what projects have, every posting, and the bill line by line. */
export function Ledger() {
  const { t } = useWords();
  const { query } = useRoute();
  const project = query.get('project') ?? '';
  const tab = query.get('tab') === 'postings' ? 'postings' : 'charges';
  const show = (change: { project?: string; tab?: string }) =>
    replaceQuery({ project, tab, ...change });
  return (
    <>
      <PageHead title={t('nav.ledger')} note={t('ledger.note')}>
        <ProjectSelect value={project} onChange={(value) => show({ project: value })} />
      </PageHead>
      <div className="stack">
        <Projects chosen={project} choose={(name) => show({ project: name })} />
        <Tabs
          activeKey={tab}
          onChange={(key) => show({ tab: key })}
          destroyOnHidden
          items={[
            {
              key: 'charges',
              label: t('ledger.charges'),
              children: <ChargesTab project={project} />,
            },
            {
              key: 'postings',
              label: t('ledger.postings'),
              children: <PostingsTab project={project} />,
            },
          ]}
        />
      </div>
    </>
  );
}

function ChargesTab({ project }: { project: string }) {
  const charges = useCharges({ project });
  return <Charges of={charges} name={['charges', project].filter(Boolean).join('-')} />;
}

function PostingsTab({ project }: { project: string }) {
  const postings = usePostings(project);
  return <Postings of={postings} name={['postings', project].filter(Boolean).join('-')} />;
}

function Projects(props: { chosen: string; choose: (name: string) => void }) {
  const { t } = useWords();
  const { api } = useSession();
  const list = useLoad(
    'projects',
    (signal) => api.get<ProjectList>('/v1/projects', {}, signal),
    { on: () => true },
  );
  const amount = (title: string, of: 'available' | 'held' | 'charged') => ({
    title,
    align: 'right' as const,
    render: (_: unknown, row: ProjectView) => <MoneyText amount={row[of]} />,
  });
  return (
    <Panel title={t('ledger.projects')} isFlush>
      <LoadedView of={list}>
        {({ projects }) => (
          <Rows<ProjectView>
            label={t('ledger.projects')}
            empty={t('projects.empty')}
            size="small"
            rowKey="id"
            dataSource={projects.filter((row) => !props.chosen || row.name === props.chosen)}
            open={(row) => props.choose(props.chosen ? '' : row.name)}
            columns={[
              { title: t('noun.project'), dataIndex: 'name' },
              { title: t('noun.organisation'), dataIndex: 'organisation' },
              amount(t('money.available'), 'available'),
              amount(t('money.held'), 'held'),
              amount(t('money.charged'), 'charged'),
            ]}
          />
        )}
      </LoadedView>
    </Panel>
  );
}
