"""What happens before the first and after the last job of a run."""

from workflow_scripts.planning import handlers


onstart:
    handlers.check_job_limits(workflow)
    handlers.check_chosen_subjects(workflow, RUN)
    handlers.check_search_asked_for(workflow, RUN)
    handlers.say_size(RUN)
    handlers.note_run(RUN)
    handlers.report_progress(workflow, RUN)


onsuccess:
    handlers.finish_tracking(RUN)


onerror:
    handlers.finish_tracking(RUN)
    handlers.report_what_is_there(RUN)
    handlers.say_what_failed(workflow, RUN)
