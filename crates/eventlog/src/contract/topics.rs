//! Clauses about topics and their bounds.

use super::tools::{append_all, at, new_topic, position, record, spec};
use crate::{Kept, Log, LogError, Offset, TopicName};

/// Topics are created where missing; asking again gives the same ids, in the order asked, and
/// each topic has its own.
pub async fn ensuring_again_changes_nothing(log: &Log, prefix: &str) {
    let name = |name: &str| TopicName::from(format!("{prefix}-{name}").as_str());
    let a = spec(&name("a"), 3, Kept::Forever);
    let b = spec(&name("b"), 1, Kept::Compacted);
    let first = log.ensure_topics(&[a.clone(), b.clone()]).await.unwrap();
    assert_ne!(first[0], first[1]);
    append_all(log, &a.name, &["kept"]).await;
    let again = log.ensure_topics(&[b, a.clone()]).await.unwrap();
    assert_eq!(again, [first[1].clone(), first[0].clone()]);
    let bounds = log.bounds(&[at(&a.name, 0), at(&a.name, 2)]).await.unwrap();
    assert!(bounds.iter().all(|bounds| bounds.topic_id == first[0]), "{bounds:?}");
    assert!(bounds[0].end > bounds[0].start && bounds[1].end == bounds[1].start);
}

/// A topic with another number of partitions, or kept in another way, is refused with what there
/// is and what was asked, and nothing of what was asked for with it is created.
pub async fn what_does_not_fit_is_refused_whole(log: &Log, prefix: &str) {
    let there = new_topic(log, prefix, "there", 3).await;
    let new = TopicName::from(format!("{prefix}-new").as_str());
    let wanted = spec(&new, 1, Kept::Forever);
    let seven = spec(&there, 7, Kept::Forever);
    let compacted = spec(&there, 3, Kept::Compacted);
    for (unfit, said) in [(seven, ["3 partitions", "7"]), (compacted, ["ever", "compacted"])] {
        for asked in [[wanted.clone(), unfit.clone()], [unfit, wanted.clone()]] {
            let error = log.ensure_topics(&asked).await.unwrap_err();
            // The name is part of the text, and made of digits.
            let text = error.to_string().replace(there.as_str(), "THERE");
            assert!(matches!(error, LogError::Unsuitable(_)), "{error:?}");
            assert!(text.contains("THERE") && said.iter().all(|s| text.contains(s)), "{text}");
        }
    }
    let missing = log.bounds(&[at(&new, 0)]).await;
    assert!(matches!(missing, Err(LogError::Unsuitable(_))), "{missing:?}");
    assert!(log.bounds(&[at(&there, 2)]).await.is_ok());
    assert!(matches!(log.bounds(&[at(&there, 3)]).await, Err(LogError::Unsuitable(_))));
}

/// What asks for a topic or a partition that is not there is told so, and nothing is created.
pub async fn what_does_not_exist_is_unsuitable(log: &Log, prefix: &str) {
    let topic = new_topic(log, prefix, "small", 2).await;
    let missing = TopicName::from(format!("{prefix}-missing").as_str());
    for (name, partition) in [(&topic, 2), (&missing, 0), (&missing, 0)] {
        let read = log.read(&[position(name, partition, Offset(0))]).await.map(|_| ());
        let append = log.append(record(at(name, partition), "key", "value")).await.map(|_| ());
        let bounds = log.bounds(&[at(&topic, 0), at(name, partition)]).await.map(|_| ());
        for answer in [read, append, bounds] {
            assert!(matches!(answer, Err(LogError::Unsuitable(_))), "{answer:?}");
        }
    }
}

/// A partition's end is behind its last record, as soon as the append is answered; its start and
/// its other partitions stay.
pub async fn bounds_follow_appends(log: &Log, prefix: &str) {
    let topic = new_topic(log, prefix, "bounds", 2).await;
    let of = [at(&topic, 0), at(&topic, 1)];
    let before = log.bounds(&of).await.unwrap();
    assert!(before.iter().all(|bounds| bounds.start == bounds.end), "{before:?}");
    for n in 0..3 {
        let offset = append_all(log, &topic, &["value"]).await[0];
        let now = log.bounds(&of).await.unwrap();
        assert_eq!((now[0].start, now[0].end), (before[0].start, offset.next()), "append {n}");
        assert_eq!(now[1], before[1]);
    }
}
